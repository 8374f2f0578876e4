/* Decoding, painting on canvas tiles, and small helpers. All parts share one function scope (see maps/assets.py). */
/* ---------- decoding ---------- */
function bytes(b64) {
  var raw = atob(b64), out = new Uint8Array(raw.length);
  for (var i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}
function varints(b64) {
  var b = bytes(b64), n = 0, i, v, s, j = 0;
  for (i = 0; i < b.length; i++) if (b[i] < 128) n++;
  var out = new Float64Array(n);
  for (i = 0; i < b.length; j++) {
    v = 0; s = 1;
    while (b[i] > 127) { v += (b[i++] & 127) * s; s *= 128; }
    out[j] = v + b[i++] * s;
  }
  return out;
}
function unzig(v) { return v % 2 ? -(v + 1) / 2 : v / 2; }

/* Rings or lines as world pixels at zoom 0 with a box each. */
function shapes(geo) {
  var count = varints(geo.n), delta = varints(geo.d), q = geo.q, total = delta.length / 2;
  var ptr = new Int32Array(count.length + 1), xy = new Float64Array(delta.length);
  var box = new Float64Array(count.length * 4), x = 0, y = 0, i, j, k = 0;
  for (i = 0; i < count.length; i++) {
    var w = Infinity, n = Infinity, e = -Infinity, s = -Infinity;
    ptr[i] = k;
    for (j = 0; j < count[i]; j++, k++) {
      x += unzig(delta[2 * k]); y += unzig(delta[2 * k + 1]);
      var at = worldPixel(x / q, y / q), px = at[0], py = at[1];
      xy[2 * k] = px; xy[2 * k + 1] = py;
      if (px < w) w = px; if (px > e) e = px; if (py < n) n = py; if (py > s) s = py;
    }
    box[4 * i] = w; box[4 * i + 1] = n; box[4 * i + 2] = e; box[4 * i + 3] = s;
  }
  ptr[count.length] = total;
  return { n: count.length, ptr: ptr, xy: xy, box: box, owner: geo.o ? owners(geo.o) : null };
}
function owners(b64) {
  var d = varints(b64), at = 0;
  for (var i = 0; i < d.length; i++) { at += d[i]; d[i] = at; }
  return d;
}
/* Rows of 24 figures; NaN where redacted. */
function hourRows(b64, rows) {
  var v = varints(b64), out = new Float32Array(rows * 24), k = 0;
  for (var i = 0; i < v.length; i++) {
    if (v[i] % 2) { for (var r = (v[i] - 1) / 2; r > 0; r--) out[k++] = NaN; }
    else out[k++] = v[i] / 20;
  }
  return out;
}
function worldPixel(lon, lat) {
  var sin = Math.sin(lat * Math.PI / 180);
  return [(lon + 180) / 360 * 256, 256 * (0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI))];
}
function lonlat(px, py) {
  var n = Math.PI - 2 * Math.PI * py / 256;
  return [180 / Math.PI * Math.atan(0.5 * (Math.exp(n) - Math.exp(-n))), px / 256 * 360 - 180];
}

/* ---------- a Leaflet layer that paints shapes on one canvas ---------- */
/* One canvas a layer and not tiles: at zooms between whole numbers tiles leave hairlines, and what is to be
   printed must stand there at once, while tiles wait for the next picture of the screen. */
var Painted = L.Renderer.extend({
  options: { padding: 0.12, opacity: 1 },
  initialize: function (paint, options) { L.Renderer.prototype.initialize.call(this, options); this._paint = paint; },
  _initContainer: function () {
    this._container = L.DomUtil.create('canvas', 'painted');
    this._container.setAttribute('aria-hidden', 'true');
    this._container.style.opacity = this.options.opacity;
  },
  _destroyContainer: function () { L.DomUtil.remove(this._container); delete this._container; },
  _updatePaths: function () {},
  _update: function () {
    if (this._map._animatingZoom && this._bounds) return;
    L.Renderer.prototype._update.call(this);
    this.repaint();
  },
  repaint: function () {
    if (!this._container || !this._map) return;
    var canvas = this._container, size = this._bounds.getSize(), first = this._map.getPixelOrigin().add(this._bounds.min);
    var ratio = sharpness(size);
    L.DomUtil.setPosition(canvas, this._bounds.min);
    canvas.width = Math.max(1, Math.round(size.x * ratio)); canvas.height = Math.max(1, Math.round(size.y * ratio));
    canvas.style.width = size.x + 'px'; canvas.style.height = size.y + 'px';
    var ctx = canvas.getContext('2d'), zoom = this._map.getZoom();
    ctx.scale(ratio, ratio);
    this._paint(ctx, { z: zoom, whole: Math.round(zoom), scale: Math.pow(2, zoom), x: first.x, y: first.y, w: size.x, h: size.y });
  }
});
var PAPER = 2.5, LARGEST = 16e6;
/* Dots a CSS pixel: those of the screen, more on paper, and never a canvas that browsers refuse. */
function sharpness(size) {
  var wanted = document.body.classList.contains('printing') ? PAPER : Math.min(2, window.devicePixelRatio || 1);
  return Math.min(wanted, Math.sqrt(LARGEST / Math.max(1, size.x * size.y)));
}

function near(s, i, view, pad) {
  var k = view.scale, b = s.box, j = 4 * i;
  return b[j] * k < view.x + view.w + pad && b[j + 2] * k > view.x - pad &&
    b[j + 1] * k < view.y + view.h + pad && b[j + 3] * k > view.y - pad;
}
function trace(ctx, s, i, view, close) {
  var k = view.scale, x = view.x, y = view.y, xy = s.xy, end = s.ptr[i + 1];
  for (var p = s.ptr[i]; p < end; p++) {
    var px = xy[2 * p] * k - x, py = xy[2 * p + 1] * k - y;
    if (p === s.ptr[i]) ctx.moveTo(px, py); else ctx.lineTo(px, py);
  }
  if (close) ctx.closePath();
}
/* All rings of a shape as one path, whole: for clipping. */
function outlinePath(ctx, s, view) { for (var i = 0; i < s.n; i++) trace(ctx, s, i, view, true); }
/* 1, 2 or 5 times a power of ten. */
function roundStep(least) {
  var power = Math.pow(10, Math.floor(Math.log(least) / Math.LN10)), f = least / power;
  return power * (f <= 1 ? 1 : f <= 2 ? 2 : f <= 5 ? 5 : 10);
}
function inRing(s, i, x, y) {
  var inside = false, xy = s.xy, a = s.ptr[i], b = s.ptr[i + 1];
  for (var p = a, q = b - 1; p < b; q = p++) {
    var yi = xy[2 * p + 1], yj = xy[2 * q + 1];
    if ((yi > y) !== (yj > y) && x < (xy[2 * q] - xy[2 * p]) * (y - yi) / (yj - yi) + xy[2 * p]) inside = !inside;
  }
  return inside;
}
function inShape(s, x, y) {
  var inside = false;
  for (var i = 0; i < s.n; i++) if (inRing(s, i, x, y)) inside = !inside;
  return inside;
}
function lineDistance(s, i, x, y) {
  var best = Infinity, xy = s.xy;
  for (var p = s.ptr[i]; p < s.ptr[i + 1] - 1; p++) {
    var ax = xy[2 * p], ay = xy[2 * p + 1], dx = xy[2 * p + 2] - ax, dy = xy[2 * p + 3] - ay;
    var t = dx || dy ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy))) : 0;
    best = Math.min(best, Math.hypot(ax + t * dx - x, ay + t * dy - y));
  }
  return best;
}

/* ---------- small DOM helpers: text only ever enters as text ---------- */
function el(tag, attributes, children) {
  var node = document.createElement(tag), key;
  for (key in attributes || {}) {
    if (key === 'text') node.textContent = attributes[key];
    else if (key.slice(0, 2) === 'on') node.addEventListener(key.slice(2), attributes[key]);
    else if (attributes[key] !== null && attributes[key] !== undefined) node.setAttribute(key, attributes[key]);
  }
  (children || []).forEach(function (child) { if (child) node.appendChild(child); });
  return node;
}
function svg(tag, attributes, children) {
  var node = document.createElementNS('http://www.w3.org/2000/svg', tag), key;
  for (key in attributes || {}) {
    if (key === 'text') node.textContent = attributes[key]; else node.setAttribute(key, attributes[key]);
  }
  (children || []).forEach(function (child) { node.appendChild(child); });
  return node;
}
function fill(text, params) {
  return text.replace(/\{(\w+)\}/g, function (all, name) { return name in params ? params[name] : all; });
}
function figure(v) { return v >= 100 ? Math.round(v).toLocaleString('en') : (Math.round(v * 10) / 10).toFixed(1); }
