/* The base map out of our own streets, and their names; shared by all pages with a map. Areas lie below the data, streets above
   areas of the data, so that no hexagon buries the map. Returns ground and streets as one layer. */
function drawBase(map, data, pane) {
  /* ----- base map out of our own streets ----- */
  var base = data.base.map(function (b) { return { key: b.key, poly: b.poly, from: b.from, to: b.to, s: shapes(b.geo), style: b.style }; });
  function stroke(ctx, group, view, colour, width) {
    ctx.beginPath();
    for (var i = 0; i < group.s.n; i++) if (near(group.s, i, view, 12)) trace(ctx, group.s, i, view, false);
    ctx.strokeStyle = colour; ctx.lineWidth = width; ctx.stroke();
  }
  var area = data.area ? shapes(data.area) : null;
  function shown(view, poly) {
    return base.filter(function (g) { return g.poly === poly && view.whole >= g.from && view.whole <= g.to; });
  }
  function paintGround(ctx, view) {
    ctx.fillStyle = data.land; ctx.fillRect(0, 0, view.w, view.h);
    if (area) beyond(ctx, view);
    shown(view, true).forEach(function (g) {
      ctx.beginPath();
      for (var i = 0; i < g.s.n; i++) if (near(g.s, i, view, 2)) trace(ctx, g.s, i, view, true);
      ctx.fillStyle = g.style.fill; ctx.fill('evenodd');
      if (g.style.edge && view.z >= 15.5) { ctx.strokeStyle = g.style.edge; ctx.lineWidth = 0.7; ctx.stroke(); }
    });
  }
  /* What lies outside the streets of the map is told apart from empty land, with a grid of degrees to go by. */
  function beyond(ctx, view) {
    ctx.save();
    ctx.beginPath(); ctx.rect(0, 0, view.w, view.h);
    outlinePath(ctx, area, view);
    ctx.clip('evenodd');
    ctx.fillStyle = data.outside; ctx.fillRect(0, 0, view.w, view.h);
    graticule(ctx, view);
    ctx.restore();
    ctx.beginPath(); outlinePath(ctx, area, view);
    ctx.setLineDash([8, 5]); ctx.lineWidth = 1.5; ctx.strokeStyle = '#8d877a'; ctx.stroke(); ctx.setLineDash([]);
  }
  function graticule(ctx, view) {
    var from = lonlat(view.x / view.scale, view.y / view.scale), to = lonlat((view.x + view.w) / view.scale, (view.y + view.h) / view.scale);
    var step = roundStep((to[1] - from[1]) / 7), i, p;
    ctx.strokeStyle = '#d2cdc2'; ctx.fillStyle = '#6b6659'; ctx.lineWidth = 1; ctx.font = '10.5px ' + data.font;
    ctx.textAlign = 'left'; ctx.textBaseline = 'bottom';
    var digits = Math.max(0, Math.ceil(-Math.log(step) / Math.LN10 - 1e-9));
    for (i = Math.ceil(from[1] / step); i * step <= to[1]; i++) {
      p = worldPixel(i * step, 0)[0] * view.scale - view.x;
      ctx.beginPath(); ctx.moveTo(p, 0); ctx.lineTo(p, view.h); ctx.stroke();
      for (var k = 0.2; k < 1; k += 0.3) ctx.fillText((i * step).toFixed(digits) + '°', p + 3, view.h * k - 3);
    }
    for (i = Math.ceil(to[0] / step); i * step <= from[0]; i++) {
      p = worldPixel(0, i * step)[1] * view.scale - view.y;
      ctx.beginPath(); ctx.moveTo(0, p); ctx.lineTo(view.w, p); ctx.stroke();
      for (k = 0.15; k < 1; k += 0.25) ctx.fillText((i * step).toFixed(digits) + '°', view.w * k + 3, p - 3);
    }
  }
  function paintStreets(ctx, view) {
    ctx.lineJoin = ctx.lineCap = 'round';
    function width(g) { return g.style.width * Math.max(0.5, Math.pow(1.55, view.z - 15)); }
    var lines = shown(view, false);
    lines.forEach(function (g) { if (!g.style.dash) stroke(ctx, g, view, g.style.edge, width(g) + (view.z >= 13.5 ? 1.6 : 0.6)); });
    lines.forEach(function (g) {
      if (g.style.dash) ctx.setLineDash([3, 3]);
      stroke(ctx, g, view, g.style.fill, g.style.dash ? 1 : width(g));
      ctx.setLineDash([]);
    });
    exits(ctx, view);
  }
  /* Where large streets leave the map: an arrow with their name. */
  function exits(ctx, view) {
    if (view.z < 11.5) return;
    ctx.font = '600 11px ' + data.font; ctx.textBaseline = 'middle'; ctx.lineJoin = 'round';
    var taken = [];
    (data.exits || []).forEach(function (e) {
      var p = worldPixel(e[1], e[2]), x = p[0] * view.scale - view.x, y = p[1] * view.scale - view.y;
      if (x < -200 || y < -60 || x > view.w + 200 || y > view.h + 60) return;
      var dx = Math.cos(e[3]), dy = Math.sin(e[3]), tip = 24;
      ctx.beginPath(); ctx.moveTo(x + dx * 4, y + dy * 4); ctx.lineTo(x + dx * tip, y + dy * tip);
      ctx.moveTo(x + dx * tip - dx * 6 - dy * 4, y + dy * tip - dy * 6 + dx * 4); ctx.lineTo(x + dx * tip, y + dy * tip);
      ctx.lineTo(x + dx * tip - dx * 6 + dy * 4, y + dy * tip - dy * 6 - dx * 4);
      ctx.strokeStyle = '#7d776a'; ctx.lineWidth = 2; ctx.stroke();
      if (!e[0]) return;
      ctx.textAlign = dx > 0.35 ? 'left' : dx < -0.35 ? 'right' : 'center';
      var tx = x + dx * (tip + 5), ty = y + dy * (tip + 5) + (Math.abs(dx) <= 0.35 ? (dy > 0 ? 6 : -6) : 0);
      /* no name upon another: the arrow alone stays */
      var w = ctx.measureText(e[0]).width, left = tx - (ctx.textAlign === 'right' ? w : ctx.textAlign === 'center' ? w / 2 : 0);
      if (taken.some(function (b) { return left < b[1] && left + w > b[0] && Math.abs(ty - b[2]) < 13; })) return;
      taken.push([left, left + w, ty]);
      ctx.strokeStyle = 'rgba(255,255,255,.9)'; ctx.lineWidth = 3; ctx.strokeText(e[0], tx, ty);
      ctx.fillStyle = '#55503f'; ctx.fillText(e[0], tx, ty);
    });
  }
  var ground = L.layerGroup([
    new Painted(paintGround, { pane: pane('base', 200), attribution: data.attribution }),
    new Painted(paintStreets, { pane: pane('streets', 350, true), opacity: 0.88 })
  ]);
  ground.addTo(map);

  /* ----- street names: one greedy choice each half zoom ----- */
  var placed = {};
  function namesAt(z) {
    if (placed[z]) return placed[z];
    var k = Math.pow(2, z), used = {}, out = [], size = z >= 17 ? 12 : 11;
    data.labels.forEach(function (l) {
      if (z < l[4]) return;
      var p = worldPixel(l[1], l[2]), x = p[0] * k, y = p[1] * k;
      var w = 0;
      for (var c = 0; c < l[0].length; c++) w += l[0].charCodeAt(c) > 0x2e80 ? size : size * 0.56;
      if (l[5] && w > l[5] * k * 256 / 360 * 1.5) return;
      var half = Math.max(14, w / 2 + 6), cells = [], clash = false;
      for (var d = -half; d <= half; d += 14) {
        var key = Math.round((x + Math.cos(l[3]) * d) / 20) + ':' + Math.round((y + Math.sin(l[3]) * d) / 20);
        if (used[key]) { clash = true; break; }
        cells.push(key);
      }
      if (clash) return;
      cells.forEach(function (key) { used[key] = 1; });
      out.push([l[0], x, y, l[3], half]);
    });
    placed[z] = { size: size, names: out };
    return placed[z];
  }
  /* Chinese names along steep streets: one upright character below the other, as on Chinese maps. */
  function upright(ctx, n, x, y, size) {
    var down = n[3] > 0 ? 1 : -1, step = size + 1, from = -(n[0].length - 1) / 2;
    for (var pass = 0; pass < 2; pass++) {
      for (var i = 0; i < n[0].length; i++) {
        var d = (from + i) * step, px = x + Math.cos(n[3]) * d * down, py = y + Math.sin(n[3]) * d * down;
        if (pass) ctx.fillText(n[0][i], px, py); else ctx.strokeText(n[0][i], px, py);
      }
    }
  }
  new Painted(function (ctx, view) {
    if (view.z < 12) return;
    var level = Math.floor(2 * view.z) / 2, here = namesAt(level), grown = Math.pow(2, view.z - level);
    ctx.font = here.size + 'px ' + data.font; ctx.textAlign = 'center'; ctx.textBaseline = 'middle';
    ctx.lineWidth = 3; ctx.strokeStyle = 'rgba(255,255,255,.9)'; ctx.fillStyle = '#4a4a4a';
    here.names.forEach(function (n) {
      var x = n[1] * grown - view.x, y = n[2] * grown - view.y;
      if (x < -n[4] || y < -n[4] || x > view.w + n[4] || y > view.h + n[4]) return;
      if (Math.abs(n[3]) > 0.87 && /^[\u2e80-\uffef]+$/.test(n[0])) { upright(ctx, n, x, y, here.size); return; }
      ctx.save(); ctx.translate(x, y); ctx.rotate(n[3]);
      ctx.strokeText(n[0], 0, 0); ctx.fillText(n[0], 0, 0); ctx.restore();
    });
  }, { pane: pane('names', 380, true) }).addTo(map);
  return ground;
}
