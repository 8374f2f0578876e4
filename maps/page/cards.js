/* Popups: what one thing on the map is, with its figures by hour. */
function strip(open, values, hour, title) {
  /* 24 small bars, dark where it is open: when, at a glance. */
  var top = 0, i, bars = [];
  for (i = 0; i < 24; i++) if (values && values[i] > top) top = values[i];
  for (i = 0; i < 24; i++) {
    var v = values && values[i] === values[i] ? values[i] : 0, tall = top && v ? Math.max(1, v / top * 11) : 0;
    bars.push(svg('rect', { x: i * 5 + 0.5, y: 12, width: 4.2, height: 4, fill: !open || open[i] ? '#007A5A' : '#dcd8ce' }));
    if (tall) bars.push(svg('rect', { x: i * 5 + 0.5, y: 11 - tall, width: 4.2, height: tall, fill: i === hour ? '#b34700' : '#6f9dbd' }));
  }
  return svg('svg', { 'class': 'strip', viewBox: '0 0 120 17', width: 120, height: 17, role: 'img', 'aria-label': title }, bars);
}
function chart(app, title, values, open) {
  var t = app.t, top = 0, w = 264, h = 100, i, bars = [];
  for (i = 0; i < 24; i++) if (values[i] > top) top = values[i];
  for (i = 0; i < 24; i++) {
    var v = values[i], hidden = v === null || v !== v, bar = hidden || !top ? 0 : v / top * 62;
    var tip = hourWords(app, i) + ' ' + (hidden ? fill(t.redacted, { k: app.data.k }) : figure(v)) + (open ? ' ' + (open[i] ? t.open : t.shut) : '');
    bars.push(svg('g', {}, [
      svg('rect', { x: 1 + i * 10.9, y: 8, width: 10.9, height: 66, fill: i === app.hour ? '#fff3c4' : 'transparent' }),
      hidden ? svg('text', { x: 6.4 + i * 10.9, y: 73, 'font-size': 8, 'text-anchor': 'middle', fill: '#6b6b6b', text: '×' })
        : svg('rect', { x: 2.2 + i * 10.9, y: 74 - bar, width: 8.5, height: Math.max(bar, v > 0 ? 1 : 0), fill: open && !open[i] ? '#9ecae1' : '#0072B2' }),
      open ? svg('rect', { 'class': 'is-open', x: 1.6 + i * 10.9, y: 76, width: 9.7, height: 6, fill: open[i] ? '#007A5A' : '#e6e2d9' }) : svg('g', {}, []),
      svg('title', { text: tip })
    ]));
  }
  var marks = [0, 6, 12, 18, 24].map(function (m) {
    return svg('text', { x: 1 + m * 10.9, y: 95, 'font-size': 9.5, fill: '#444', 'text-anchor': m === 0 ? 'start' : m === 24 ? 'end' : 'middle', text: m + ':00' });
  });
  return el('figure', { 'class': 'chart' }, [
    el('figcaption', { text: title }),
    svg('svg', { viewBox: '0 0 ' + w + ' ' + h, width: w, height: h, role: 'img', 'aria-label': title + (open ? ' ' + t.strip_note : '') }, bars.concat([
      svg('line', { x1: 1, x2: 263, y1: 74, y2: 74, stroke: '#888', 'stroke-width': 0.8 }),
      svg('text', { x: 1, y: 7, 'font-size': 9, fill: '#555', text: top ? figure(top) : '' })
    ], marks)),
    open ? el('small', { text: t.strip_note }) : null
  ]);
}
function twoDigits(n) { return (n < 10 ? '0' : '') + n; }
function hourWords(app, hour) {
  return hour < 0 ? app.t.all_day : fill(app.t.hour_range, { from: twoDigits(hour), to: twoDigits(hour + 1) });
}
function makeCards(app) {
  var map = app.map, t = app.t, data = app.data;
  function card(item) {
    var rows = (item.r || []).map(function (r) { return el('tr', {}, [el('th', { scope: 'row', text: r[0] }), el('td', { text: r[1] })]); });
    return el('div', { 'class': 'card' }, [
      el('h2', { text: item.t }),
      item.s ? el('p', { 'class': 'kind', text: item.s }) : null,
      item.n ? el('p', { 'class': 'reason', text: item.n }) : null,
      rows.length ? el('table', {}, [el('tbody', {}, rows)]) : null,
      item.l ? el('p', { 'class': 'apps' }, item.l.filter(function (l) {
        return location.protocol !== 'file:' || /^[a-z]+:/.test(l[1]); /* a file on disk has no service beside it */
      }).map(function (l) {
        return el('a', { href: l[1], target: '_blank', rel: 'noopener noreferrer', text: l[0] });
      })) : null,
      item.h ? chart(app, item.c, item.h, item.o) : null
    ]);
  }
  var popup = L.popup({ maxWidth: 320, minWidth: 284, autoPanPaddingTopLeft: [20, 70], autoPanPaddingBottomRight: [innerWidth > 760 ? 350 : 20, 30] });
  app.openCard = function (at, item, offset, ring) {
    popup.options.offset = offset || [0, 4];
    popup.setLatLng(at).setContent(card(item)).openOn(map);
    var close = document.querySelector('.leaflet-popup-close-button');
    if (close) { close.setAttribute('aria-label', t.close); close.setAttribute('title', t.close); }
    app.outline.clearLayers();
    if (item.id !== undefined && data.reachOf && data.reachOf[item.id] !== undefined) outlineReach(data.reachOf[item.id]);
    if (ring) ring.forEach(function (points) {
      L.polygon(points, { color: '#ffffff', weight: 8, fill: false, interactive: false, pane: 'marked' }).addTo(app.outline);
      L.polygon(points, { color: '#b00020', weight: 4, fillColor: '#b00020', fillOpacity: 0.08, interactive: false, pane: 'marked', className: 'marked' }).addTo(app.outline);
    });
    app.current = { at: at, item: item, offset: offset };
  };
  app.redrawCard = function () {
    if (app.current && app.current.item.h && popup.isOpen()) popup.setContent(card(app.current.item));
  };
  document.addEventListener('keydown', function (e) { if (e.key === 'Escape') map.closePopup(); });
  map.on('popupclose', function () {
    var back = app.current && app.current.item.marker && app.current.item.marker.getElement();
    app.outline.clearLayers(); app.current = null;
    if (back && document.activeElement === document.body) back.focus({ preventScroll: true });
  });
  function outlineReach(feature) {
    var s = app.geo('reach'), part = data.reachStyle;
    for (var i = 0; i < s.n; i++) {
      if ((s.owner ? s.owner[i] : i) !== feature) continue;
      var cls = part.cls[i];
      L.polygon(ringOf(s, i), { color: part.palette[cls].edge, weight: 2, fill: false, dashArray: part.palette[cls].dash, interactive: false }).addTo(app.outline);
    }
  }
}
function ringOf(s, i) {
  var ring = [];
  for (var p = s.ptr[i]; p < s.ptr[i + 1]; p++) ring.push(lonlat(s.xy[2 * p], s.xy[2 * p + 1]));
  return ring;
}
