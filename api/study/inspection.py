"""What an inspected trace file is, in words: for the terminal and for the pages of planners."""

import re

from api.forms import Language
from geo.traces import Inspection, hint
from maps.texts import Wording, catalogue

__all__ = ["PASTE", "inspection_lines"]

PASTE: dict[Language, str] = {"zh": "粘贴到研究文件：", "en": "to paste into a study file:"}
_TEXTS: dict[Language, dict[str, str]] = {
    "zh": {
        "kind": "文件类型",
        "layout": "已知格式",
        "encoding": "编码",
        "separator": "分隔符",
        "header": "表头",
        "yes": "有",
        "no": "无",
        "titles": "有，其上 {n} 行标题",
        "columns": "列的含义",
        "alternatives": "其他可能的列",
        "others": "未使用的列",
        "time": "时间格式",
        "rows": "前几行（仅示形状）",
        "account": "行数：读取 / 采用 / 剔除",
        "reasons": "剔除原因",
        "riders": "骑手",
        "days": "天数",
        "rate": "采样间隔（中位数，秒）",
        "accuracy": "定位精度（前若干行的中位数，米）",
        "walked": "步行的点（估计）",
        "datum": "坐标系依据",
        "inside": "地图范围内的点",
        "skipped": "未读取",
        "hint": "提示",
        "problem": "需要说明",
    },
    "en": {
        "kind": "kind",
        "layout": "known layout",
        "encoding": "encoding",
        "separator": "separator",
        "header": "header",
        "yes": "yes",
        "no": "none",
        "titles": "yes, below {n} title lines",
        "columns": "columns",
        "alternatives": "others that would fit",
        "others": "not used",
        "time": "form of times",
        "rows": "first rows, by shape",
        "account": "rows: read / accepted / refused",
        "reasons": "reasons",
        "riders": "riders",
        "days": "days",
        "rate": "median interval, s",
        "accuracy": "accuracy, m (median of the first rows)",
        "walked": "points on foot (estimate)",
        "datum": "evidence about the datum",
        "inside": "points on the map",
        "skipped": "not read",
        "hint": "hint",
        "problem": "to be said",
    },
}


def _reason(code: str, language: Language) -> str:
    texts = catalogue(language)
    # The terminal shows the code itself, as the file of refused rows has it.
    return texts.text(f"reject.{code}") if language == "zh" and f"reject.{code}" in texts else code


def _why_not(code: str, language: Language) -> str:
    # The label says already that it was not read.
    return re.split("[:：]", catalogue(language).text(f"file_note.{code}"), maxsplit=1)[-1].strip()


def _accuracy(found: Inspection) -> str:
    look = found.look
    if look.accuracy_m is None:
        return ""
    return f"{look.accuracy_m:g}" + (" (HDOP × 15 m)" if look.from_hdop else "")


def inspection_lines(found: Inspection, language: Language) -> list[tuple[str, str]]:
    """Return what was found about one file as labels and values; what does not apply is left out.

    Values of the file stand in it by shape only.
    """
    texts, look = _TEXTS[language], found.look
    header = texts["yes"] if look.header else texts["no"]
    if look.title_lines:
        header = texts["titles"].format(n=look.title_lines)
    separator = {"\t": "tab", " ": "space"}.get(look.separator, look.separator)
    inside = "" if found.inside_share is None else f"{100 * found.inside_share:.0f}%"
    refused = sum((found.rejected or {}).values())
    lines = [
        ("kind", look.kind),
        ("layout", look.layout),
        ("encoding", look.encoding),
        ("separator", separator),
        ("header", header if look.columns else ""),
        ("columns", ", ".join(f"{ours} = {theirs}" for ours, theirs in look.columns)),
        ("alternatives", ", ".join(f"{ours}: {theirs}" for ours, theirs in look.alternatives)),
        ("others", ", ".join(look.others) if look.columns else ""),
        ("time", look.time_form),
        *(("rows", row) for row in look.rows),
        ("account", f"{found.read:,} / {found.accepted:,} / {refused:,}" if found.read else ""),
        (
            "reasons",
            ", ".join(f"{_reason(why, language)} {n:,}" for why, n in sorted((found.rejected or {}).items())),
        ),
        ("riders", f"{found.riders:,}" if found.read else ""),
        ("days", f"{found.days:,}" if found.read else ""),
        ("rate", "" if found.median_interval_s is None else f"{found.median_interval_s:g}"),
        ("accuracy", _accuracy(found)),
        ("walked", "" if found.walked_share is None else f"{100 * found.walked_share:.0f}%"),
        ("datum", Wording.of(language, 1).evidence(found.datum_evidence)),
        ("inside", inside),
        *(("skipped", f"{name}: {_why_not(why, language)}") for name, why in found.skipped),
        *(("hint", hint(code).text(language)) for code in found.hints),
        ("problem", look.said if isinstance(look.said, str) else look.said.text(language)),
    ]
    return [(texts[key], value) for key, value in lines if value]
