/* ---------- online tiles, only where the maker of the page asked for them ---------- */
/* WGS-84 to GCJ-02 in degrees; the same closed form as geo/datum.py, one way only. */
function shift(lat, lng) {
  if (lng < 72.004 || lng > 137.8347 || lat < 0.8293 || lat > 55.8271) return [lat, lng];
  var a = 6378245, ee = 0.00669342162296594323, x = lng - 105, y = lat - 35, pi = Math.PI, r = Math.sqrt(Math.abs(x));
  var wave = (20 * Math.sin(6 * x * pi) + 20 * Math.sin(2 * x * pi)) * 2 / 3;
  var dLat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * r + wave +
    (20 * Math.sin(y * pi) + 40 * Math.sin(y / 3 * pi)) * 2 / 3 + (160 * Math.sin(y / 12 * pi) + 320 * Math.sin(y * pi / 30)) * 2 / 3;
  var dLng = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * r + wave +
    (20 * Math.sin(x * pi) + 40 * Math.sin(x / 3 * pi)) * 2 / 3 + (150 * Math.sin(x / 12 * pi) + 300 * Math.sin(x / 30 * pi)) * 2 / 3;
  var rad = lat / 180 * pi, magic = 1 - ee * Math.sin(rad) * Math.sin(rad), root = Math.sqrt(magic);
  return [lat + dLat * 180 / (a * (1 - ee) / (magic * root) * pi), lng + dLng * 180 / (a / root * Math.cos(rad) * pi)];
}
/* Tiles in GCJ-02: the grid is laid about the shifted centre; inside one view the shift varies by less than a pixel. */
var Shifted = L.TileLayer.extend({
  _there: function (c) { var s = shift(c.lat, c.lng); return L.latLng(s[0], s[1]); },
  _getTiledPixelBounds: function (centre) { return L.TileLayer.prototype._getTiledPixelBounds.call(this, this._there(centre)); },
  _setZoomTransform: function (level, centre, zoom) { L.TileLayer.prototype._setZoomTransform.call(this, level, this._there(centre), zoom); },
  _onMoveEnd: function () {
    if (!this._map || this._map._animatingZoom) return;
    this._setZoomTransforms(this._map.getCenter(), this._map.getZoom());
    this._update();
  }
});
function tileLayers(tiles) {
  return tiles.urls.map(function (url) {
    var options = { subdomains: tiles.subdomains, maxZoom: 19, maxNativeZoom: 18, attribution: tiles.attribution };
    return tiles.datum === 'gcj02' ? new Shifted(url, options) : new L.TileLayer(url, options);
  });
}
