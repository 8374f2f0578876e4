/* The base map out of our own streets, and their names; shared by all pages with a map. Returns the ground. */
function drawBase(map, data, pane) {
  /* ----- base map out of our own streets ----- */
  var base = data.base.map(function (b) { return { key: b.key, poly: b.poly, from: b.from, to: b.to, s: shapes(b.geo), style: b.style }; });
  function stroke(ctx, group, view, colour, width) {
    ctx.beginPath();
    for (var i = 0; i < group.s.n; i++) if (near(group.s, i, view, 12)) trace(ctx, group.s, i, view, false);
    ctx.strokeStyle = colour; ctx.lineWidth = width; ctx.stroke();
  }
  function paintBase(ctx, view) {
    ctx.fillStyle = data.land; ctx.fillRect(0, 0, view.size, view.size);
    ctx.lineJoin = ctx.lineCap = 'round';
    var shown = base.filter(function (g) { return view.z >= g.from && view.z <= g.to; });
    shown.forEach(function (g) {
      if (!g.poly) return;
      ctx.beginPath();
      for (var i = 0; i < g.s.n; i++) if (near(g.s, i, view, 2)) trace(ctx, g.s, i, view, true);
      ctx.fillStyle = g.style.fill; ctx.fill('evenodd');
      if (g.style.edge && view.z >= 16) { ctx.strokeStyle = g.style.edge; ctx.lineWidth = 0.7; ctx.stroke(); }
    });
    function width(g) { return g.style.width * Math.max(0.5, Math.pow(1.55, view.z - 15)); }
    shown.forEach(function (g) { if (!g.poly && !g.style.dash) stroke(ctx, g, view, g.style.edge, width(g) + (view.z >= 14 ? 1.6 : 0.6)); });
    shown.forEach(function (g) {
      if (g.poly) return;
      if (g.style.dash) ctx.setLineDash([3, 3]);
      stroke(ctx, g, view, g.style.fill, g.style.dash ? 1 : width(g));
      ctx.setLineDash([]);
    });
  }
  var ground = new Painted(paintBase, { pane: pane('base', 200), attribution: data.attribution });
  ground.addTo(map);

  /* ----- street names: one greedy choice a zoom, the same for every tile ----- */
  var placed = {};
  function namesAt(z) {
    if (placed[z]) return placed[z];
    var k = Math.pow(2, z), used = {}, out = [], size = z >= 17 ? 12 : 11;
    data.labels.forEach(function (l) {
      if (z < l[4]) return;
      var sin = Math.sin(l[2] * Math.PI / 180);
      var x = (l[1] + 180) / 360 * 256 * k, y = 256 * (0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI)) * k;
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
    var here = namesAt(view.z);
    ctx.font = here.size + 'px ' + data.font; ctx.textAlign = 'center'; ctx.textBaseline = 'middle';
    ctx.lineWidth = 3; ctx.strokeStyle = 'rgba(255,255,255,.9)'; ctx.fillStyle = '#4a4a4a';
    here.names.forEach(function (n) {
      var x = n[1] - view.x, y = n[2] - view.y;
      if (x < -n[4] || y < -n[4] || x > view.size + n[4] || y > view.size + n[4]) return;
      if (Math.abs(n[3]) > 0.87 && /^[\u2e80-\uffef]+$/.test(n[0])) { upright(ctx, n, x, y, here.size); return; }
      ctx.save(); ctx.translate(x, y); ctx.rotate(n[3]);
      ctx.strokeText(n[0], 0, 0); ctx.fillText(n[0], 0, 0); ctx.restore();
    });
  }, { pane: pane('names', 380, true) }).addTo(map);
  return ground;
}
