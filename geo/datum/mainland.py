"""The outline of mainland China, for one question only: is a position shifted by the map datum or not.

Made from Natural Earth 1:10m "Admin 0 - Countries" (public domain, as packed in world-atlas 2.0.2): China
without Hong Kong, Macau and Taiwan, widened by 0.3 degrees out to sea, and simplified to 0.006 degrees:
right to about 1 km along land borders. Two stretches where cities touch are drawn finer: the Macau border
by hand (about 50 m), and the Shenzhen river, where the closed border strip south of the river (up to
300 m) counts as mainland so that all of Shenzhen does. Islands far offshore are left out.
It is no statement about any border.
"""

import functools
import zlib
from base64 import b85decode

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["mainland_china", "within_mainland_china"]

# Steps between vertices in 1e-4 degrees, as little-endian int16 (lon, lat), deflated, base 85.
_START = (1144703, 221535)
_STEPS = (
    "c-k#`eL$Ag`TsfRz8_wap-xh2lt{R!u(5m@rI}1-"
    "I%&QPCp!9ODvlBhzmiH)X2WUDzOur4QZ!04O@4|CClY?;>$J$XVN%mcii_pTFwvnrJoh>0`hBk3{&;wJp6A@>T<3cET%YSY=Y)Mw"
    "q|;C#L~9^Z3>Lo@6UEQPQ{oOWMBFZhiaW)8;fMvIi^hxLVy5Va?`{`Qh>cPRLu=#$D@BOLiB>8UN9lLs9HohB$`<d@Xz>>QucbJ="
    "|4!_uAs9D8T&LlpogNn7($B>I(n7I^ril;fmtsAoi^CY(NIk{t6e~U@OZ%ydKBI@kCAvyq&}I4?-JrYZ0nwA@&^uH~-"
    "4r2O@Y_wgf^px{yYwBTd{+D(V+T@i@jMCf24#qks10-"
    "NraCI2>+~NyVQ3xo5`V>~7ic3sdzc{tdyK)JejtufvUm#5?xPcQyZAfR(pf6RtA+OAb<F?&FIev;MTus}+Ky*Bu-"
    "<ocmuR=k#8Q&tIOgAs_jbtAj&)A>t4^e5`aRbA29kErKk?lqtet}Snu+yz9>1N(X9u%iqA&6LS?J*`MT>u8{tnD}iBiN7+6<lUrf"
    "rbo9~gB2JHJRr=^VWQ4gC*xQccq!zYrz*5S^jz82br*2rc{#vmV9j?_w8!rjt|-"
    "$v&e_`Xf1Fv%O6mg!Vtho<E~IVU0vsbe<@oUt_)uEyQ{+M`h7%BAM=heUrpVa>dsah93TfH9S&yJ`R>{rQ`H9v@O2>{4<QcThvhk"
    "-g^m;Ui4*qnPx%55#k-"
    "}s0+LN0DEtypNnf05NGX0x&S$^(tqQx5GT9#m=+@Mral<Xu{S*O#(0~}e*HB4ST7NWOosiZF0;$@2wJHh6TdU(?BiaIJsq}GZ8nK"
    "!(_cOt?yFn%0sDb@(Eg8Uw%?i;s9$IZHR+$)Pqa&KVSnfK6>(SheDkDvmcBKQny2m8A+phSn(Z?4<TvK1JmwXPdh<1{*AJ=xviGS"
    ">Gv4_n^>Z@q7`59p%2X4t{?k20PUwD8rs&?{WgSWH>rrNezT2+1|I!<6r-"
    "`*0_TP4@i7~I)1E$EnqaTEJkJ+`RL7ekaDd<hMea!1R#@uHAWS%n}#+b0(t%uVJ(^HI~N6m2i1M`A;(R^-"
    "7t<~*zledq?+2!U*``=dRI`fIQ-"
    "467AL(iK>L{@mW+~M_fKGv1=jQ*4O%y^=~RLdltET8HA&WY0P;y&}HOg7ilf6N$n4n607AWEI5?J?DZ{^|4-"
    "CF*lw)hXNV?h?nNo8%1l1t%d;t&-JJ=Qr|#JHS~dZ&$ZF6Vw-Cg*quusrTId?pc{5H#i67DD}3OtdhhcRY{ZFeAVb&5RcgfZrChQ"
    "if&iW(WB}roluXOeSyW)D{xG7IjiYU?)#x+yU|M(?}iecVRoskH?H%Axj`}JU9m=wu`hK`qrG0d^}_QgQ^(p*%pYmCk>VYFR$Mm&"
    "WTDAZb8WS%GCS$tHb|%J$8^G;pmcqo*ka@4Sg}In%k6YZOr->MoC-veC<N9Bu|?L1RrtK$o&qXqd_Pt!kf-"
    "3QwZODfB2$zDw+ciyu<eLQl#CXWWuh#mGCW;?dErW;M#Rb%T7>_3T&yeus?^d-"
    "5wr_M8OCG+Ka<5!8jJY~L^0hOGaCPw*aF~i8P*&N*~-"
    "KmU|b&7sfVoNY$4_2JBMbgJu=RVaO<rn+sro1+e@^Woi@gdp@TX}q|kL6Wmn+YnX;UMB8vu#i@MWf(Kg}ISE}Bo$qG|UMRtyeF@>"
    "ttZWD`55IR@^>5o9Z%aHIe_PRn8*(oB*jsY$$6!mtwJgBp=RtDBhw<*v`3-"
    "y#*98xWmhPATse349{)A(+ZY_(51S(u~3O!4O~r1zW}e4i;#xQQ|-"
    "R?F$ov%r2?FP>a2m#G4ASth8pm}?PywHIXXFH`MXG7CtMMN=V1Z_#S^$Q<1t^KY=tp%Pn!y_VButUF28+d7e>gV^se3fk$mQXj`N"
    "eQ1cj;RG?R)ml*+4hq&wIo<CxnB}s_ex=e(JARABI;SPC(O~YiS=43<X%(efmc5vA^fkoW{fOHj^tcZQI?h&@9X3(6hg+x#IzMmI"
    "OqVXQ^>}iTFK-aKZubgxqqocC=q-|UT1#tXf%p*e3&=9frrM>L^P#X1)2&NGX`(f-"
    ";Vk?<TBMmLoDt#TK!e$DC)y_sv|uLMzP8oo!Db_zS}If%VV9sU<5gO0CV9PdCFDMDYs5h0tTDWIJeO{Rb{*tO^L-"
    "}UoNy0ngMIFi7j+Bv!}}jfuCHfLM%i}AaE`JdPZo6=-haKl3SX_FL^;=Xgb#;PD9f-"
    "<wwV?1LH6Ut$d3ZgWylh}O|*M#uL$gE0Or2}|9Jzxc129I$Ed-Kv*pOtLR6X*-"
    ">$<=6!a0aO*R?6UoAULEp5`x@{mpzb8V))X7gngVsnRGEh~){!|=?Hv=-"
    "Mfe!6Xz1Bqj*5OXyk4$8zy%sUq`L*1vud7Gf7Ql{jw#ju+L-@i(1+XBQ>3-"
    "(w}Y_lrZIzh!CHj?3oi%p%_8Xig|`d(XalMn}+;Gdo>q&md-"
    "VZ`e!jL86IM7Toq$M@R=@4p4_HDV7iz`)jrv8N(gORuUR?Ahq8F{R;j_-"
    "unM(SPv{V(u6-m7)-f>^FtPu`)_dv>EWjBs{whvQER;e$dx3*e4r$Y=oa%`0p0r#3kTU8Zc-MA}NSiOOutzK0&+J_wjoBu-hz$1z"
    "PP$HC7nJ#vI6W9<jTfF6zthn`6*p9Oh-"
    "&4Qv(*+n<FzN8o!7z2XfJl{yWwFfK5bY!lUThN=<El*YQr!usosMGUW&b)r*cIfb+U{vA@O_P5ZB5h2+hIx3a<au0Cj0-"
    "hZ#64Z6XjQ~b&gTC5Ds-3TrMI&^W4NU3{|D2&x;Lllzt86nDK9q<3S;#&Be!mbHbR55B`|_02WI4OL4!@6*A^Bep?;{9bss&~-"
    "&J<t`A=YB<<%p?Ci1%A~o<cELGbm=OnZVx`#KLokr#Dm~&G9iL1+h9-"
    ")M1|IoC3_9MHXXYWlmrha4Z8hO#?PfrFP`t4%l=eaJ0zw_v7{=62W3~-i`>@3AS%p*9DzsUN&ha4!XV9-"
    "on&m*t<x^n6;R@P83BZM%F+FDZo4-"
    "&LH0$!P+xrn&Ex39(j*v5KArC_ZE!HgS}Q^FWJ!JkO;8WK)aje%y7=a|EECq!_ey%%$){b+!x4~+XU}ZV~tbd4(F7(0-"
    "H@mJTC!O^u~H~L^IHLl<E&G4yk;(5P50_^x?sFGhyqH+Uhun%^irv!5BLecHSea<%5WeQpve1QBF`iHc?JNj_pIuGM_qC416yZ`l"
    "^H6qY+0J5DQ7Zeb_FHb+vfaz*iC!`_ffJ(d&?D9j%tJST{{_E@WRy0nT%tN%1*3=gqeuE9dQ*h=t>UOxVAcMk<b>8W9c5Kcr4!zb"
    "<U3MGW%P5#Ucd<QVRZ74uc1Y;($qV{IGcS?ZLD`yI9`=ZT5m<6#hamVKesu0nq0+;rZy(0J2o+f2}|C&u13vpx{Cry;{+_}O8fOG"
    "No`Uk4rU^<y&)K3yg_W*>Gh>X2$MoD1^cpZz6cMyh3h8l*VCRG90)oGGw%8vONMx7D(Lo<}T<1P@;itopsz3JhVM&_cPU99Y(7uH"
    "ye;z_9bS*2jGwJK6Wg#U=*xX2UN_FmF9&8-"
    "uv{J7P2}v*CYf=2KOv_hKJ$!1(}h^OBbZtgi>=aSp4Nj5(*}N|hmxI&VOam*H2JkxNDb(}z0~As^#Q336N^%|JdKMwL1MoOuAT^E"
    "Q00MWnm2h|jN-"
    "09J4wNHa?yi@?4bfkO{C)uAe2?FQ_zKXkVW7@TYB?Mahu@*r0Wo;e1b<~mG4=jXtm9x?nmXa@_<Jsh7cz@8MyT}b!Zb}tk7*9YS&"
    "4P!<jblFSSiKoJYRHhtfkA@qO`_5tPXvn@6SiT$BKNI>o3)v^=T#s{JGJN25%ekqL0=84#VTR~JF!T=K@($a8T+#0JwXA#2g~`ZE"
    "^}d`_!B-vl%P#C;A$-0G+#nP2S`VzqG9BTMb-"
    "j)A^WH?%0wtR3fhCx47;KYkQXxY*e4>|TZcvH*T}&$#=eI25!v8AF2ITW9aD@%v55>?yAIvq_$MACS7Z-Uq3;3CWJ-"
    "g6FA!R~;gH(!-m*1FlkNui+CHrtOZT6C2yGgP%d>nXk2-"
    "yB4aP$hs92U)?S(5d_IVTHvltPbVZ)d5OPSq2A8IqvqAbcz=n?wC&1MHWh<M2E4+a8Fq{=knU!I+sS^I)sV;E~&)lTq+(A((%%AG"
    "qLCMX+V7Ed~C~f={$#%udU(eh{@vuJ=0j%=~jGbj&tsviwZY=2L0dp$fCcG=Pt#d#Zc0R|!3ZV5i@E^~kNQ;65%fAIgWHoc-Qb>!"
    "}qu+yZXHJRl42g_I5sJ{S152G27_Gr#T)yve6r?>#4l1|esh{yxSzcRcKd<g7^MpY@h8XtO$~C*TzXe$2$U-"
    "grL`S^L3Gy^ss~*|ILS8S|_$K$ke5+n4Cc@cClsG6<V5gpID^|9P;^esH}G>}@Ob`#9ubjyhPZ?A~vgV=xDA^=;5(8BZ?iv+&D0="
    "xDxbGt86g@ys0Pb}js%4l#EXd(OuEgH#l9RTkunve%KjVkP%B%7HB{#N2)(Fl3j{@6rtW+XBg4BnsR+&FqD}b_2@_RXOHlo>Hm5)"
    "itP_YGIEWk&k^{xBR)yylz=0mbo0h$@!$gOi;Ddh&Y?CI>J#7<4P^PshGdEpmt%L4cc+gk-"
    "@x4z{S1(9*eL?mbc!X0YAvcm^t`A7CyAf$7!xnYKiNfjc%rFM@$zXH*k*fB<GqaAE!AUjzb4a>;rZfp4(t^;rlVB2e7a=WSjySKZ"
    "7mm1p9xkHxro5KKTZIzwGCMY+y-"
    "+;hH2CbxxMUoIcgo`Mf>|ZpQT!%fWGxLZ=W9Rj@$|{HUI|Ze$;hLf$BZ{bQipA)0@m3LW*u{*D31Gco@e_(w=Fw`zdQTq6d7nYF+"
    "-&IK*RIjtQ&u?o+f@nfqTyrIoZ#`hVp5&JlEa>wW7^>(dfu0PT8|HkJg%nNSSM6*y2a$eg8opBvE8a#&iRUY(`<uL!NFqdVjAFKU"
    "=liAqY707iAdVCY{JrXv}@Sjf>Z4T#|gL*x5YoKo-Ci?Xy@T+@*;#h7)JhZ}>IM&MXITiRA1m7)!{)J#0Uq@d1Si2OB9NULje+42"
    "Lz7h9*ZsR(MpR0o&>rwOMAouP;>~USTMdpXzR2Alsit{!p_MhfZmXl_fht;E|KP{O9aI6Zk61h1KxvA9Gt?TRdR=vyhRRdzE7xGz"
    "~c~vpj%mHRKqNd>-x!ABhE&~@imKxy;ocs15hAzNQTCk6qu!Hsa4cj|~_CSZrCFhz{-"
    "<L0W4X{;_{Q`CQJ|9nu>=D0Tpv5>h+k6P#b4DC>YQSF@Qzsw~Gln-xt~J>9iPDqJa#esaKE`a3Tf-"
    "kkw4shohQGUXz!8G$6z1{M-DJGaR&^pZa-kUEOaQ*ugCmZCjU#|{2|Cw(Unk08sFAkQ3?~iq?!)hg!3iI5LXvse95D(tRE-"
    "z_{{NxR0jk00+3&axYC-MY1|KOTwsD5<YpjzN@Y@3Mm0FFOfpatG3GPvB_Vz&6z5TioT*LQiuEE<(NacVVu@7fqt}?J<#)fQ@5m|"
    "s(>r{KN_AJ??CV+FEfqqXzzw^OC&LCE6A;TbG?;!Z&5h1#`jtat;xqg`p{m+Vwvdm{^VeaW}j(!Gya{=?*;jk{tu*-"
    "7P2n{9)dVUR<IvxCEJ^bv9VE-C$`9SBN?Iy9q8z??78$_PzC6|Y`#xhUKhJD&S<{lZCXE-"
    "=yhL6)lc0c$G=b0wUu@D5OjKcUF{TjYI0-"
    "q~!UBA{}0skB<m@BmUwKvxnli}0bM3q{LckU%E2M^=gU>jm8L9uVuh&zElYr$)hA}aN6`29?9nl!u^qaG)Yr3Nzq^IZX+yzUnI-"
    "1dy<?9PBbihSSvnYW%e_i*o_kV@>WJisw=8untlFh?tux!#WNa{|ZSTkze7Ajf(Ng$C(<z~!BGjO=6gsAw9dUZvkEOLsf-"
    "#9%c<?pD&-1Ycx);96^;h<7^RUz`uP2It<|aeN*M-"
    "@8gxY7C{jTuZDFy#i}YqU4%mjmeb7G)j5$12+xz%O=&NTA;73(B)ERs(uTY9R>!?Lfjli?eP|L^%ZQ*cr_XR$$hs4()BUw0Ju#ec"
    "<)bOuSD3X1a;~zaQ|7TeiD%1i|}0!wb*!gmh1ins4qQmqe1Ew#QzX*NXDgdYCw+STsH<eob&Wh{MK6>4PSu&9#X8o7P=F7Sc<rq3"
    "=Y&Nw>m5Qepj;K7)gM=nCC=;KaY~PY~CMozvPzFNoQgt$8R>|K7^W#@%}FO=Q71PkA05qj`#ql=6+Iw3dtD6OBg=U0^MyBE7fS=$"
    "8uQ_@fzjJMIz39LzOxg@M^>}rO1t$Vur)@AM@u)l6iP7@=dcWLv7d_e7((_fGs+lcFaBydrT5+vwUD?VbridHR{oPcw?d*3S1Zm-"
    "gJivfmbJs$KgxY;480NE!LPCaMx0&4z^r{Ir4zHmu0Cl3j4fD32GQ|T{=pQL>}1=Swgx%yoULb#KFK)C*E-a35qdh1-Rr!mu-"
    "|N)8q`N2jcdKV7%cP{ip-"
    "14`j$(cZY3vk7GU5P!Z39uW!R1lf>eP`D$@QG3rTv4G^!m(as3xw{EA}BDp_si`UiRnMx<!z2eu%WzhY>K%-"
    "1|6Vz<rU#|O<N_Q>hO8_Ph#(O@MN9}TQ0*jyr10NoQ@3|k8hu@BfQ_)u`B)KP?Cb_T5Ik=Es1r`Pc_d&DZBQAE_Y7fBo1}W}=u-"
    "_!Ze$8?aY+mBlh)l%)F)ECjfqn9R_ac|BKpnBi??;p&7xW68mW+$lSgRT<HL3k}HEQ=$f^mgog6qHxzt2|)`&Owo<OamV&5GW)dW"
    "eJIhY7&vI{4Zz5eucj&BVyDs8yS>d)MzDU_a1Lhr@k|7U=7+sOn}eI17H6BtoI{h=l<n-"
    "Fr}RZYsl`s}$;hz;h1E@(OIyqz>bGw)q6L)j3CL5nJGg>}O-B(VYdG<^dOg(><Sa8lm$}RfT-rWD{k%7w;5Pr+VFnWHvHFjpBS1l"
    "E;Yqelwh0!|y9qHuM$)Kl)15h^5$Ll*4_MUckfnaM16+2VsMF=O2-"
    "ss?4dDA<Pqs(&A0k=q`+?@$=LK#K#lSF%f@{swKAbX2e{YWUf6HwM+<mVdUNFJZy&quGxl&3;JN}Q@SX!o@T3_(AH>?7O{_xI(_i"
    "k26@f`&o+V!H-QXr&2}%iO)>m?AGJlyl-zUS{>2H!K0FdOXCE3Zs&C_b>jdIZGuMdSkRc2|<$l6p;PIUf<9MwvSDSNDuZ*ddPdZx"
    "s)*TX<AC)LGB*#>3R15O`I$&lUa(^Ru1>?av8WLEG*q^Uf;=2*f{g`Vr_Qn2J>gP%BpJW0b64Ydji-"
    "A0BzhWv0ERYF3cA3?v<*G41_Z_pM7RU}K6aM_N-*Xngfsl*?Ca%U_2hv5Yz-@Q>J>5~N2^g`&mI3o;I8C-"
    "nUB!3Tff3xhReo=odoC%&zT}{8j{_g+gV!pIyGmP~bUY*Azj2i7Mj6JpQ=$rX@9XzL3V}D=1FjJ#O&MyC)$oZ<wGPkiGP&^TUV*h"
    "<L&Q}7TqoC^fc!C)UU9R5U+a;BcEN}Ew{ciwAfoac<ePmI2YWWlBZB)|9nf8kI1kSHEPS#Jk#n!j2{hSi@TO#77WYvTRE?gk(jm_"
    ">y;^c_c?bAxGI9N07X3nJB4lEJ&zI-1?@psJUm<bNdl<z#_nQI{!1xI|Bzc|HwwK-"
    "?;{I=fIvj4sngt@=wh*69oVSb3bbG36T&NK9r`nHi&Tt|y?vghadl;pXv8OS}QQSv6Z!;z5)il}e9>dzJ5I5;|CG@!2%?CzhNIr+"
    "z>O^7B>?2cQpGCmJdTMv`kVkT$@4gtH2VJb95f0nGn4%*0!Y{b5Bfu$9`$hE@ov`Oo{2uSL+Bn4g;)q??<5a|YeRqPIi<n6!#;9f"
    ")^yi9q=9$?lq_;Zt7?WkH)V;v2aW*9?U}rcx?JmUlD?eaNtp`VW4)wr1Ggd?(w|uF`qJB?}WdBKq-rvw2&igk@0=ZpU^!IAue_6d"
    "-uXAl(BVGtIzi8~gNu^91-<99zw{A0J2t7DDTof6^9_q2bfr!^{%*8-cXofQ$GC?;f*FrJzg*P)1!!zzKaa$-"
    "5;x&&t>u7e5tHkGmvsJ*pF6W4ek^2HoY9X-Kh<5na;+`@h<(_AH=wa_fRASGC&`suT8=%8E&~K@n-"
    "GhBI2&_OY7}@63MBnLTM+BkkQkj3-"
    "lMZtw?pLNoq_|CLuKS8xhCGuWSPlNy=z^<8A3{!AE{6ny!0d%sKQp2fdM|bQOYSEMF(2G#k}T01-"
    "3oJB&IsS>l;|?>j2gwYKljZm4A=Ze{9dIN6ENQd;9;~gR%``t-"
    ";DffFz>s!H3OeUAqS6e4r8q=z}+P5VJLM%2f6P3&{dYnjyPaiqS7tfc7~&<BsR{E?Iz?d&I7a6X&L7-"
    "e!hi#wHJDtg*i7V?kBoYF9t?9H^4cfodWR?{O&E_*Hvnb4A@DLM?^}L5FIfSREHB%$<bATtq%KH25@{A_QUeV%E~}(<l>0^Znb<>"
    "<%5@OcI)8J6I4lHDEwzCd_EI7=?r++ZeVPe;&Z-"
    "uaIr+m_z??Po<#f)g})C5mH~f(d)#}Da}Q&$jmTw#k>lH8pBB8XQchrljYozVrH%kgnk=7<tW=wkdl-"
    "}U!8g+3cW3?nHS?xsdBB_k283?=Ka&cdYjoE`KMryIIa@L7JWkB@I5)b$;8Vz7+-oR9-"
    "r@R~YxN2f1KXVeSG&_`Gs{pDJ*Fmt%U2lgZA?&|-"
    "Ob>dqhX`vlFw8Uz*+hHw4A<Dd^TG7pFiWd1+vlG>GE7$Z><hZ5krt4bG_}9ZH9r%KP0&KT6?pzD@PwNG3Hy%eT>4JNfB8$-"
    "&9o{(`|LAzkhx_L{GPyy;R*`9Mr>SM9R&cktzN;-*BhiJ`>RJqvYt2VlFyXaF6}-"
    "$Yj(kW265SeG2@i&_93KCQ|Rn99S7UARLTDTt{uEgdROK+pAfw1NJAuMr-"
    "9O?uX!vgH*i3+<yghJQ<v40qk<b=TalU_sZ~HCU{t*%k}LPAEUCOw#b!g6*%l@_(Xr?=V;_f4>dv$#0S^u%pdn6)`Eib=|t#yvEk"
    "mu3c)>JzAM1`FA!J6E$%Ad2P{Jo<UfNogOKk|a7pF|?S74&pn8CR+@<)eCJSrS2)1LX-yfL){vGcWA>PjT=NXxD3g$hen0Ir%!)M"
    "T}6XqCP3ls?My$1#N065N5Py>YEV`ctbgCfky^?nQD;SK1LIpBO%1)RPZNO4OY4}Q(#W+I+?3&xIkXE6LU+Tk93Gkh~2x~;_=1)|"
    "00r+j{q1x%>aTfiOpJmYQuT!>@rl;ED)X*~0lYPrd0I4u~LOpV@gs?^tPjvg%doG!)hdrSgm^IV%1_u@(&gLP+tPqOWJUA}{{7B="
    "0jS|dx`*=jzx^(E}RC&ugrZ<&Mm%?GZdp2D-M<r!ecKG<;~@O6-"
    "?iEfm^$g9XxZ^?s!Sa3(?1}j8b&pg3(z`;N!xMqTy;T%IQpNbe?Pkh!@;NR2OBDucFL@wr<?N+?<JqwPz(U7&x91P?mH!iWwvY&r"
    ";9FnVTsl&FY!aQ;K{H>qgH@o}o#Q^8j{O|9L6eFi)VvpOwC3fO7ub&4$m?dxZV^)aIUGAs!#;cyHdTj9$kzbg{obsRFjy>|-"
    "k`g<@nQm+SJih}RVTWZoD<b;CcgBD#^}%}iz~36ku}v_K<~g{A&NiIy@3ocM!MJ4L3S-"
    "gZc)yBx%Ja`O%kY1%z%Elxxu#Q{14ciByvjY*_e`Vvtc~+hz)4zdVN{BrUnkl(bSi576u+kkjuzE@W2JhWm}fD+DML<91-"
    "BL8cD(}A@C=`^M}Vs^51ER3Y?XiChI!DfI|Hkrd*(+Qzz4YpUQB#<<`iO)dna6LG)v}Y!-#ohgV|+R7m4!U;gH-"
    "2j(O6=JI`XD=TYO8dR1yQI2VuI;J+t;M`+R4a?dcvEYnTM(?aY(jeY|-"
    "++<s#x=?4X0zcw=89xDMx&dB$!=zBBVSbe<_k+L0!LHY#_iuF-uzG~k7e00za&lj+H}Hl1lR3?HVjN0P#eR*v8u(BVk%yQp2G^Md"
    "{JCalD?ZPf>-Uqm@5}cx3j94EBkl=QsT0^!J@NgckQ|RXdKLJ=Td;L6%$tLGny?@ClWf6t?^x7}9nM+sIOe=-"
    "4ExSXm5;gjOnsxj*BaPuhLZ!G{~vU9-"
    "S3;Sy_&&yTcXZDk7JO>GEjpF|1MLFe@|jPo;d@5I_KLe)vhtUwCZLqS*3=;&N;Aur{VJwzSq==e8@P<J&+Xe)oOW%sg``NW3G*|e"
    "XUECCe8E(m)!|@0>Jmh-TAW22od&f#R}`@DtPu}nG!V_c#w=a512&c|5DU~@!+CO$h{%N?yZ=u6O3;;fhx#36S%(+pZDRJK6EPvr"
    "eF;BQ6@?D^LVF5l>xiC4^-x3XdcF2hkbh^cVCuV|93c(zQ02e6hi_>V843U{c-"
    "TThk#jA!SOiv*Fmq08{AjncmoEZHs`t|9{6;NdtCz0$@H-<DzZgz{Bo~>xj~}j|C=o9d=%oX-"
    "j0KBeysVfR*ZkwXc+X`1mATKqt8NLkNfdG3j3<@?Ry?vs?D%Jj|CUzSgW`B@ZU<)U`lMZ>C$OtE@F_+{P<qL<G_J=hR=~(?Qq04*"
    "BsoxYq0t93&heuN;7=EsgUaq7{04iOLv%5#Cf7ju|@U=UXk4h>{)F&Mx*Qj%&`%8I0o`<z&yi{^Y>f!3oW?*E5^F7LAL3TVIXmh>"
    "jI<r?BUkEn6rK_GHCg38sEjapcfk*uBCmDfqUrt;VVs+`=CXZ&u^z&J`>>@Fi~<pp5tbT<ukdlh!L(~SQo99V=kGPvy>BKF!wO|O"
    "jtk%>Cnqm|7@kr6l#|icrBPWQ7+TGUVM0h=JSw);6IsP$3{k3J}XZEH=HB*UQ9h?O*4<`Y{U0Z_>5);Msp85&c~S<;gP!4?zib)l"
    "E_9amTkD7e$_vhs4y(gI{$o+?-`Zop^$efaz}*a+OAr@Z0aKyUO+WVd_Gv{$7WyXCObS<jMR*oe3n)qHb5sQ4fjdY-SM!&a8qwLz"
    "&|cPu9pp;_iHf?_IRB5Jd|t6BFNnWT_wsxn)Q=y*7<$it>NB~t4{FQNzl%<2lYe#`B5lz2)bDUoO>L(hw<Yz;LSK6mj(Q;&2Ue+2"
    "7D<`@O_7J{~lt#f0kNE$Nam2EyQ=wMneyK5PRE1n}0sWXKyFmLcI6V+zV&Ey&O57@9XhBAMS<ox$h#(J5zE_(6C>d;kkE07loR2&"
    "}zBn9cQ@@eCymcAHKzB?6+*s=eo7@7te)F>+Ny6sPn*yIQQ|nU_IY-Mts#1^O}R&1D{^(-*-"
    "wO<^pUV9<xZ4`+e^nw!*NlG1hTR<`dsn%a=p_yGX20?r(Cg0u!WmuS+v$WPh3ny{B3}Z@uB)3*q||Lv)hhy8yj3_x?E+lf*>JcM5"
    "}oW0lXw+P%@Dse32<=a`@C5@ip~xq;7OR;tguWHAs}*lAFk8IFN=Z$-"
    "EWK2u}|AdjyUh5mWndjGtRxnR(4hyG538|Fc`d>`R3em{$Mj?sb0%L_%W$NoJ<aBN)Ee0PoSSMj|fuCw{B3hS8fkMUVmlHWUH?!x"
    "D&L3`_rneQPmPv-"
    "j;tv2Z6Znb<HI_@cN@#by*{Uz?V@LkmkGfMJVdaYlRWJ0E?{@sc;KSo*aYbEQXS?+`$oACJ<WVvC=#1iav6ZG5$96W&Bp@`+;^B+"
    "D#;xqgTbHKR7*uxk&&uk4pY507r$a3##G4Yu)=YC#`{g>~a@wtDRNhUty;JB^u&$$_^#sJ%f;@Q`M*>iyb+wuPu!FL1;VcTrOzQp"
    "l)9{$F6$rvAl@crI`&u_Um1AYwOy@r^IgTKVlXV5p_4VwrVqU>s{!*}jDH}d&9W8Hqd>Zz%F0rFyBJjXq<Vt=0%hIP!ozXtfs_vV"
    "KB=b`!XIQ*Y+V>D_WzQeGd&O!E9>;pF6>^1q_Khg>Mw{~;rm>r;tMM3vXx@NB0U+I42nkt*`eMo-`N7)qb75brm*uJH!Y2Wot-Oq"
    "U2?GiiPF0v(hmwCoq*ALh`%?oCi4%!FwHBE-"
    "V5}%^Mw#*t`VI#a>(`Tl`4m6L^6tB1Vsr{qvVcxM@&1`yFJ7T*xMc!w+<=gs{GtK_e{X0!TRy(ea&@@#pUUWJ|in<|d)Gk$~CODh"
    "rdG)^NFeBv%yGc&5IqEk0iCRY4O4CfWNK94ViJz+X<#>!<tj4;n>O&dt4px6qH{G|LJm+?K!8t1{<X(A2os|XZS?7$(Rd>n5vN}9"
    "QJrp`a2SQIM&zz)pVTBdu4I^x`9p~lP9(I6TWR}_k*!gGnSLTmqu=&yy>sZ@urh~&MQ*O6<Gbqm-u!FiLm<}_-"
    "cA0kjI<oj0bJ*Uae@Ks7Yf|iHJ4L@^mx>q79vZLD*{}4S_TM_fq#B{arZ8;7Q@nPaq+ha6n;LS=BjSI}E-"
    "}k{L}Z3yb*c9w3Y$J+clds}$$Tr8n;r5a^PqXa?yyJT<^NXqdoRmB+W)Aqt#y}~InGJCCwi6LtL~Hcskx$eV1bzIenIy-"
    "Kd0=-WIap0WVXsz^{eWfIVks<C2EAdq`GyojDjzHtKS!k^jvBPueJZsu#+bDIk8UO?c}N5N~s)K7dhH_SKLrS-mQkKKdW!#({iQr"
    "q&)0S5WjJD$WNTViDx6Xt6ZmCJQmSHKMQo(;m#O4LH*s3`U(BadB6^K{z)&Oo?7I5YDTC=lj}S|IZmvYr>>xSUMOcf%fv|c7(L;R"
    "vGd$fx=~FLFFUKLuXB&M;Z)FA)Ec9l>*iCnOlQiy-ez*VfmVA*=_h77oix{=_ebnybC`;CH$3?fdpj)qj`@E#mwCzF0McD?Qt2<{"
    "%eqq3nR#}S8DU~fj{URFph!JIeD1wwf345azsy`J#Y_wBqh^G@=smAX%{)48>g*D;-"
    "1f9Tw)yt{aJD%d`YBfUozbC2FT!@|<>nt|nQb@Y>;gO9`^Zf7zOc6;lRaY_%^@%3)mWvA)FyLIp4aO{1$~DIFzRLd3-"
    "^~)r;ME#_=o;7@I(8q8fPoyJliM-"
    "n(@vPUCZP>=Cu5@yH!@2c=@$y6+bnDMV0xX^O$~Gy&tZT!|X^IHb%7RC9>EgtF0zUUN$6ttS{4#&355=H>uG)rQWo+ML(ufREbsU"
    "K6^qgF^grf{*xGD%A6H;VBn(O@BG-"
    "@t(KaV>P>HpI@rBM>@z<W$>v4b0rdE@xnI1Z1=V}MuvheRrrc~)yS>ZudG8P6zjXl>>8F4!`)rym09xN?p0L-"
    "#ui4+<7)qa*1#~)asr#?$q<qkcm2XGJil8%?mPB`WPdM?WMt$XdDXR3}DPF&8KJ9kx&&{uNq4_;B`Vl*lPSVAjv9i+JO7H32_M9H"
    "8pY(>C@62QqwlBeAr9daLz4UqWf&QB~p%2O~FGG~;BX*rvU>tqLd}`h_zqChyRd<_rQN7%4`<rQYoA&@6^2)^yb5>u)?|HV$yySI"
    ";$0Pey(`xgQdAECjeaf_(du)ph>wlR?&GY&L(`f3<=jJ1O)Xp)#v%<b+KM8#UTz}upH#zhN>ikZK7_p6R0K=bGC1Rm?m-"
    ">k(s1A8&y!nys4}N+#EkV9b>R1{;bw)$z33ZprRhP{~+278UA9<JPPx@K=LO6n2&0#afnC{#46z^}Q&il&VuXobt`UBn9uCZT22k"
    "~Y!Ei@m5qwOzDj=5%5cr)!b(-&;&GkXNG^rm}M1S+0>$bsW&KG@WD@gsXLZKk8ZFXl11-"
    "9PLnu<NPz4X@1pL3h&&I$qvO35cVBdEQi+cl0pZTmLBh3;m+`xxHxCo1fTvz1^E;pSQP}U)v@#3wHj3?lRAdF5TDkHk0jhI*z8A5"
    "A0B#P9M>WI?|r;KGvJHV^7*;=0W-b+`3ig>z|v;=8!&S$A@Oqv*s~7Q_r{cW)6)t-_nuL-R3>-"
    "ue1_a`?>zw_VZ5BS$$N*>r7zg+ald8l?~YKLOaAh?2%sNjiOO{m#FNXqd(Du>Hh=r*WG~"
)


@functools.cache
def mainland_china() -> shapely.Polygon:
    """Return the outline as a prepared polygon (lon/lat degrees, WGS-84)."""
    steps = np.frombuffer(zlib.decompress(b85decode(_STEPS)), dtype="<i2").reshape(-1, 2)
    vertices = np.vstack([[_START], steps]).astype(np.int64).cumsum(axis=0)
    outline = shapely.Polygon(vertices / 1e4)
    shapely.prepare(outline)
    return outline


def within_mainland_china(lonlat: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell for each position, (n, 2) WGS-84 degrees, whether it lies in mainland China."""
    if len(lonlat) == 0:
        return np.zeros(0, dtype=np.bool_)
    outline = mainland_china()
    low, high = lonlat.min(axis=0), lonlat.max(axis=0)
    if np.isfinite(low).all() and np.isfinite(high).all():
        # One city is wholly on one side nearly always: a single test then answers for all.
        box = shapely.box(low[0], low[1], high[0], high[1])
        if outline.contains_properly(box):
            return np.ones(len(lonlat), dtype=np.bool_)
        if outline.disjoint(box):
            return np.zeros(len(lonlat), dtype=np.bool_)
    inside: NDArray[np.bool_] = shapely.contains_xy(outline, lonlat[:, 0], lonlat[:, 1])
    return inside
