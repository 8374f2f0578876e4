/* One page: draws a frozen study or match from the data block. No network. */
function start(map, data) {
  var t = data.t, hour = -1, layers = {}, current = null, outline = L.layerGroup().addTo(map);
  map.attributionControl.setPrefix('');
  map.getContainer().setAttribute('aria-label', t.map_label);

  function pane(name, z, through) {
    var p = map.getPane(name) || map.createPane(name);
    p.style.zIndex = z;
    if (through) p.style.pointerEvents = 'none';
    return name;
  }

  var offline = drawBase(map, data, pane);

  /* ----- popups ----- */
  function chart(title, values, open) {
    var top = 0, w = 264, h = 92, i;
    for (i = 0; i < 24; i++) if (values[i] > top) top = values[i];
    var bars = [];
    for (i = 0; i < 24; i++) {
      var v = values[i], hidden = v === null || v !== v, bar = hidden || !top ? 0 : v / top * 62;
      var from = (i < 10 ? '0' : '') + i, to = (i < 9 ? '0' : '') + (i + 1);
      var tip = fill(t.hour_range, { from: from, to: to }) + ' ' + (hidden ? fill(t.redacted, { k: data.k }) : figure(v)) +
        (open ? ' ' + (open[i] ? t.open : t.shut) : '');
      bars.push(svg('g', {}, [
        svg('rect', { x: 1 + i * 10.9, y: 8, width: 10.9, height: 66, fill: i === hour ? '#fff3c4' : 'transparent' }),
        hidden ? svg('text', { x: 6.4 + i * 10.9, y: 73, 'font-size': 8, 'text-anchor': 'middle', fill: '#777', text: '×' })
          : svg('rect', { x: 2.2 + i * 10.9, y: 74 - bar, width: 8.5, height: Math.max(bar, v > 0 ? 1 : 0), fill: open && !open[i] ? '#9ecae1' : '#0072B2' }),
        svg('title', { text: tip })
      ]));
    }
    var marks = [0, 6, 12, 18, 24].map(function (m) {
      return svg('text', { x: 1 + m * 10.9, y: 87, 'font-size': 9.5, fill: '#444', 'text-anchor': m === 0 ? 'start' : m === 24 ? 'end' : 'middle', text: m + ':00' });
    });
    return el('figure', { 'class': 'chart' }, [
      el('figcaption', { text: title }),
      svg('svg', { viewBox: '0 0 ' + w + ' ' + h, width: w, height: h, role: 'img', 'aria-label': title }, bars.concat([
        svg('line', { x1: 1, x2: 263, y1: 74, y2: 74, stroke: '#888', 'stroke-width': 0.8 }),
        svg('text', { x: 1, y: 7, 'font-size': 9, fill: '#555', text: top ? figure(top) : '' })
      ], marks))
    ]);
  }
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
      item.h ? chart(item.c, item.h, item.o) : null
    ]);
  }
  var popup = L.popup({ maxWidth: 320, minWidth: 284, autoPanPaddingTopLeft: [20, 70], autoPanPaddingBottomRight: [innerWidth > 760 ? 300 : 20, 30] });
  function openCard(at, item, offset) {
    popup.options.offset = offset || [0, 4];
    popup.setLatLng(at).setContent(card(item)).openOn(map);
    var close = document.querySelector('.leaflet-popup-close-button');
    if (close) { close.setAttribute('aria-label', t.close); close.setAttribute('title', t.close); }
    outline.clearLayers();
    if (item.id !== undefined && data.reachOf && data.reachOf[item.id] !== undefined) outlineReach(data.reachOf[item.id]);
    current = { at: at, item: item, offset: offset };
  }
  document.addEventListener('keydown', function (e) { if (e.key === 'Escape') map.closePopup(); });
  map.on('popupclose', function () { outline.clearLayers(); current = null; });
  var geos = {};
  function geo(name) { return geos[name] || (geos[name] = shapes(data.geo[name])); }
  function outlineReach(feature) {
    var s = geo('reach'), part = data.reachStyle;
    for (var i = 0; i < s.n; i++) {
      if ((s.owner ? s.owner[i] : i) !== feature) continue;
      var ring = [], cls = part.cls[i];
      for (var p = s.ptr[i]; p < s.ptr[i + 1]; p++) ring.push(lonlat(s.xy[2 * p], s.xy[2 * p + 1]));
      L.polygon(ring, { color: part.palette[cls].edge, weight: 2, fill: false, dashArray: part.palette[cls].dash, interactive: false }).addTo(outline);
    }
  }

  /* ----- parts of layers ----- */
  function classOf(v, breaks) {
    if (v !== v) return -1;
    if (v <= 0) return -2;
    var c = 0;
    while (c < breaks.length && v >= breaks[c]) c++;
    return c;
  }
  function hourly(part, layer) {
    var s = geo(part.geo), count = s.n, all = hourRows(part.hours, count), day = new Float32Array(count), cls = new Int8Array(count);
    for (var i = 0; i < count; i++) {
      var sum = NaN;
      for (var h = 0; h < 24; h++) { var v = all[24 * i + h]; if (v === v) sum = (sum === sum ? sum : 0) + v; }
      day[i] = sum;
    }
    if (part.day) { var given = varints(part.day); for (i = 0; i < count; i++) day[i] = given[i] / 10; }
    function value(i) { return hour < 0 ? day[i] : all[24 * i + hour]; }
    function classify() {
      var breaks = hour < 0 ? part.breaks.day : part.breaks.hour;
      for (var i = 0; i < count; i++) cls[i] = classOf(value(i), breaks);
    }
    classify();
    var riders = part.riders ? varints(part.riders) : null;
    return {
      paint: function (ctx, view) {
        var by = {}, c, line = part.type === 'flows';
        for (var i = 0; i < count; i++) {
          if (cls[i] === -2 || (line && cls[i] === -1)) continue;
          if (near(s, i, view, line ? 12 : 2)) (by[cls[i]] = by[cls[i]] || []).push(i);
        }
        ctx.lineJoin = ctx.lineCap = 'round';
        for (c = -1; c < part.palette.length; c++) {
          if (!by[c]) continue;
          ctx.beginPath();
          by[c].forEach(function (i) {
            var b = s.box, j = 4 * i, k = view.scale, wide = (b[j + 2] - b[j]) * k;
            if (!line && wide < 4) ctx.rect(b[j] * k - view.x, b[j + 1] * k - view.y, wide, (b[j + 3] - b[j + 1]) * k);
            else trace(ctx, s, i, view, !line);
          });
          if (line) {
            var w = part.widths[c] * Math.max(0.6, Math.pow(1.25, view.z - 15));
            ctx.strokeStyle = 'rgba(255,255,255,.75)'; ctx.lineWidth = w + 2; ctx.stroke();
            ctx.strokeStyle = part.palette[c]; ctx.lineWidth = w; ctx.stroke();
          } else {
            ctx.fillStyle = c < 0 ? data.redactedFill : part.palette[c]; ctx.fill();
            if (view.z >= 14) { ctx.strokeStyle = 'rgba(255,255,255,.6)'; ctx.lineWidth = 0.7; ctx.stroke(); }
          }
        }
      },
      hour: classify,
      hit: function (x, y, reach) {
        var best = -1, least = reach;
        for (var i = 0; i < count; i++) {
          if (cls[i] === -2) continue;
          var b = s.box, j = 4 * i;
          if (x < b[j] - reach || x > b[j + 2] + reach || y < b[j + 1] - reach || y > b[j + 3] + reach) continue;
          if (part.type === 'flows') {
            if (cls[i] === -1) continue;
            var d = lineDistance(s, i, x, y);
            if (d < least) { least = d; best = i; }
          } else if (inRing(s, i, x, y)) return i;
        }
        return best;
      },
      item: function (i) {
        var rows = [], v = value(i), hours = Array.prototype.slice.call(all, 24 * i, 24 * i + 24);
        if (part.type === 'flows') rows.push([t.flow_riders, figure(day[i])]);
        if (riders) rows.push([t.cell_riders, riders[i] ? figure(riders[i] - 1).replace(/\.0$/, '') : fill(t.redacted, { k: data.k })]);
        if (hour >= 0) rows.push([t.value_hour, v === v ? figure(v) + ' ' + part.unit : fill(t.redacted, { k: data.k })]);
        else if (part.type !== 'flows') rows.push([t.all_day, v === v ? figure(v) + ' ' + part.unit : fill(t.redacted, { k: data.k })]);
        var name = part.names ? part.names[part.name[i]] || t.unnamed_road : t.cell;
        var known = hours.some(function (h) { return h === h; });
        return { t: name, s: layer.label, r: rows, h: known ? hours : null, c: part.chart };
      }
    };
  }
  function classed(part) {
    var s = geo(part.geo);
    return {
      paint: function (ctx, view) {
        part.palette.forEach(function (style, c) {
          if (style.from && view.z < style.from) return;
          ctx.beginPath();
          var any = false;
          for (var i = 0; i < s.n; i++) {
            if (part.cls[i] !== c || !near(s, i, view, 14)) continue;
            any = true;
            if (style.radius) {
              var x = s.xy[2 * s.ptr[i]] * view.scale - view.x, y = s.xy[2 * s.ptr[i] + 1] * view.scale - view.y, r = style.radius;
              if (style.cross) { ctx.moveTo(x - r, y - r); ctx.lineTo(x + r, y + r); ctx.moveTo(x - r, y + r); ctx.lineTo(x + r, y - r); }
              else ctx.rect(x - r, y - r, 2 * r, 2 * r);
            } else trace(ctx, s, i, view, !part.line);
          }
          if (!any) return;
          if (style.fill) { ctx.fillStyle = style.fill; ctx.fill(); }
          if (style.edge) {
            ctx.lineJoin = 'round'; ctx.setLineDash(style.dashes || []);
            ctx.strokeStyle = style.edge; ctx.lineWidth = style.width || 1; ctx.stroke(); ctx.setLineDash([]);
          }
        });
        if (part.text && view.z >= part.textFrom) {
          ctx.font = '600 11px ' + data.font; ctx.textAlign = 'center'; ctx.textBaseline = 'middle';
          ctx.lineWidth = 3; ctx.strokeStyle = 'rgba(255,255,255,.9)'; ctx.fillStyle = '#222';
          for (var i = 0; i < s.n; i++) {
            if (!near(s, i, view, 80) || (s.owner && i && s.owner[i] === s.owner[i - 1])) continue;
            var b = s.box, x = (b[4 * i] + b[4 * i + 2]) / 2 * view.scale - view.x, y = (b[4 * i + 1] + b[4 * i + 3]) / 2 * view.scale - view.y;
            var words = part.text[s.owner ? s.owner[i] : i];
            ctx.strokeText(words, x, y); ctx.fillText(words, x, y);
          }
        }
      },
      hit: part.items ? function (x, y, reach) {
        for (var i = 0; i < s.n; i++) {
          var style = part.palette[part.cls[i]], b = s.box, j = 4 * i, pad = style.radius ? reach * 1.6 : 0;
          if (x < b[j] - pad || x > b[j + 2] + pad || y < b[j + 1] - pad || y > b[j + 3] + pad) continue;
          if (style.radius || inRing(s, i, x, y)) return s.owner ? s.owner[i] : i;
        }
        return -1;
      } : null,
      item: part.items ? function (i) { return part.items[i]; } : null,
      centre: function (i) {
        for (var r = 0; r < s.n; r++) if ((s.owner ? s.owner[r] : r) === i) {
          var b = s.box;
          return lonlat((b[4 * r] + b[4 * r + 2]) / 2, (b[4 * r + 1] + b[4 * r + 3]) / 2);
        }
        return null;
      }
    };
  }
  function badge(icon, shut) {
    var size = icon.size || 26;
    var node = el('span', { 'class': 'badge ' + icon.shape + (shut ? ' shut' : '') }, [el('b', { text: icon.text || '' })]);
    node.style.background = icon.color; node.style.color = icon.ink || '#fff';
    node.style.width = node.style.height = size + 'px';
    return L.divIcon({ className: 'badge-box', html: node, iconSize: [size, size], iconAnchor: [size / 2, size / 2] });
  }
  function markers(part) {
    var group = part.cluster ? L.markerClusterGroup({
      maxClusterRadius: 38, disableClusteringAtZoom: 15, animate: false, showCoverageOnHover: false, spiderfyOnMaxZoom: false,
      iconCreateFunction: function (cluster) {
        var n = cluster.getChildCount(), node = el('span', { 'class': 'cluster', title: fill(t.cluster, { n: n }) }, [el('b', { text: String(n) })]);
        node.style.borderColor = part.color;
        return L.divIcon({ className: 'badge-box', html: node, iconSize: [34, 34] });
      }
    }) : L.layerGroup();
    part.items.forEach(function (item) {
      var at = [item.p[1], item.p[0]];
      item.marker = L.marker(at, { icon: badge(item.i), keyboard: true, alt: item.t, title: item.t, riseOnHover: true });
      item.marker.on('click keypress', function (e) {
        if (e.type === 'keypress' && e.originalEvent && e.originalEvent.key !== 'Enter' && e.originalEvent.key !== ' ') return;
        openCard(at, item, [0, -8]);
      });
    });
    var all = part.items.map(function (item) { return item.marker; });
    if (group.addLayers) group.addLayers(all); else all.forEach(function (m) { group.addLayer(m); });
    return {
      layer: group,
      hour: function () {
        part.items.forEach(function (item) {
          var shut = Boolean(item.o) && hour >= 0 && !item.o[hour];
          if (shut !== Boolean(item.shut)) { item.shut = shut; item.marker.setIcon(badge(item.i, shut)); }
        });
      }
    };
  }

  /* A layer is decoded and built when it is first shown: a city opens quickly. */
  data.layers.forEach(function (layer, place) {
    layers[layer.id] = { spec: layer, group: L.layerGroup(), parts: null, depth: 300 + 8 * place };
  });
  function built(id) {
    var own = layers[id];
    if (own.parts) return own;
    own.parts = own.spec.parts.map(function (part, k) {
      var made;
      if (part.type === 'markers') { made = markers(part); own.group.addLayer(made.layer); }
      else {
        made = part.type === 'cells' || part.type === 'flows' ? hourly(part, own.spec) : classed(part);
        made.tiles = new Painted(made.paint, { pane: pane(id + k, own.depth + k), opacity: part.opacity || 1 });
        own.group.addLayer(made.tiles);
      }
      made.part = part;
      return made;
    });
    return own;
  }
  function isOn(id) { return map.hasLayer(layers[id].group); }
  function toggle(id, on) {
    if (on === isOn(id)) return;
    if (on) {
      built(id).parts.forEach(function (part) { if (part.hour) part.hour(); });
      layers[id].group.addTo(map);
    } else map.removeLayer(layers[id].group);
    var box = document.getElementById('layer-' + id), more = document.getElementById('legend-' + id);
    if (box) box.checked = on;
    if (more) more.hidden = !on;
  }

  map.on('click', function (e) {
    var p = map.project(e.latlng, 0), reach = 8 / Math.pow(2, map.getZoom());
    for (var l = data.layers.length - 1; l >= 0; l--) {
      var id = data.layers[l].id;
      if (!isOn(id)) continue;
      for (var k = layers[id].parts.length - 1; k >= 0; k--) {
        var part = layers[id].parts[k];
        if (!part.hit) continue;
        var i = part.hit(p.x, p.y, reach);
        if (i >= 0) { openCard(e.latlng, part.item(i)); return; }
      }
    }
  });

  /* ----- the panel ----- */
  function swatch(entry) {
    var node = el('span', { 'class': 'swatch ' + entry.shape }, entry.mark ? [el('b', { text: entry.mark })] : []);
    if (entry.shape === 'line' || entry.shape === 'dash') { node.style.borderTopColor = entry.color; node.style.borderTopWidth = (entry.width || 3) + 'px'; }
    else if (entry.shape === 'cross') node.style.color = entry.color;
    else { node.style.background = entry.color; node.style.color = entry.ink || '#fff'; if (entry.edge) node.style.border = '2px solid ' + entry.edge; }
    return el('li', {}, [node, el('span', { text: entry.text })]);
  }
  function legendOf(layer) {
    var entries = layer.legendHour && hour >= 0 ? layer.legendHour : layer.legend;
    return el('ul', { 'class': 'legend' }, (layer.note ? [el('li', { 'class': 'note', text: layer.note })] : []).concat(entries.map(swatch)));
  }
  var rows = data.layers.map(function (layer) {
    var box = el('input', { type: 'checkbox', id: 'layer-' + layer.id, onchange: function () { toggle(layer.id, box.checked); } });
    var more = el('div', { id: 'legend-' + layer.id, 'class': 'more' }, [legendOf(layer)]);
    more.hidden = true;
    return el('div', { 'class': 'row' }, [el('label', { 'for': 'layer-' + layer.id }, [box, el('span', { text: layer.label })]), more]);
  }).reverse();

  var body = el('div', { 'class': 'body' });
  if (data.hourly) {
    var out = el('output', { id: 'hour-text', 'for': 'hour' });
    var slider = el('input', { type: 'range', id: 'hour', min: 0, max: 24, step: 1, value: 0, 'aria-describedby': 'hour-text' });
    var timer = null, play = el('button', { type: 'button', id: 'play', text: t.play });
    var setHour = function (value) {
      hour = value - 1;
      var two = function (n) { return (n < 10 ? '0' : '') + n; };
      var words = hour < 0 ? t.all_day : fill(t.hour_range, { from: two(hour), to: two(hour + 1) });
      out.textContent = words; slider.setAttribute('aria-valuetext', words); slider.value = value;
      document.getElementById('hour-note').hidden = hour >= 0;
      data.layers.forEach(function (layer) {
        if (isOn(layer.id)) layers[layer.id].parts.forEach(function (part) {
          if (part.hour) { part.hour(); if (part.tiles) part.tiles.repaint(); }
        });
        if (layer.legendHour) document.getElementById('legend-' + layer.id).replaceChildren(legendOf(layer));
      });
      if (current && current.item.h && popup.isOpen()) popup.setContent(card(current.item));
    };
    slider.addEventListener('input', function () { setHour(+slider.value); });
    play.addEventListener('click', function () {
      if (timer) { clearInterval(timer); timer = null; play.textContent = t.play; return; }
      play.textContent = t.pause;
      timer = setInterval(function () { setHour(+slider.value >= 24 ? 1 : +slider.value + 1); }, 900);
    });
    body.appendChild(el('div', { 'class': 'hours' }, [
      el('label', { 'for': 'hour' }, [el('span', { text: t.hour }), out]), el('div', { 'class': 'slide' }, [slider, play]),
      el('small', { id: 'hour-note', text: t.whole_day_note })
    ]));
  }
  if (data.tiles) {
    var online = null;
    var choose = function (on) {
      if (online) { online.forEach(function (o) { map.removeLayer(o); }); online = null; }
      if (on) { map.removeLayer(offline); online = tileLayers(data.tiles); online.forEach(function (o) { o.addTo(map); }); }
      else offline.addTo(map);
    };
    body.appendChild(el('fieldset', {}, [el('legend', { text: t.base })].concat([['offline', t.base_offline, false], ['online', data.tiles.label, true]].map(function (c) {
      var radio = el('input', { type: 'radio', name: 'base', id: 'base-' + c[0], onchange: function () { choose(c[2]); } });
      if (!c[2]) radio.checked = true;
      return el('label', {}, [radio, el('span', { text: c[1] })]);
    }))));
  }
  rows.forEach(function (row) { body.appendChild(row); });

  var found = el('ul', { id: 'found', 'class': 'found', role: 'listbox' });
  found.hidden = true;
  var search = el('input', { type: 'search', id: 'search', placeholder: t.search_hint, 'aria-label': t.search, autocomplete: 'off' });
  var index = [];
  data.layers.forEach(function (layer) {
    layer.parts.forEach(function (part, k) {
      if (!part.search) return;
      part.items.forEach(function (item, i) {
        index.push({ text: item.t, hay: (item.t + ' ' + (item.s || '')).toLowerCase(), layer: layer, part: k, item: item, i: i });
      });
    });
  });
  function go(hit) {
    toggle(hit.layer.id, true);
    var at = hit.item.p ? L.latLng(hit.item.p[1], hit.item.p[0]) : L.latLng(layers[hit.layer.id].parts[hit.part].centre(hit.i));
    map.setView(at, Math.max(map.getZoom(), hit.item.p ? 16 : 14), { animate: false });
    openCard(at, hit.item, hit.item.p ? [0, -8] : [0, 4]);
    found.hidden = true;
  }
  search.addEventListener('input', function () {
    var word = search.value.trim().toLowerCase();
    found.replaceChildren(); found.hidden = !word;
    if (!word) return;
    var hits = index.filter(function (x) { return x.hay.indexOf(word) >= 0; });
    hits.slice(0, 12).forEach(function (hit) {
      found.appendChild(el('li', {}, [el('button', { type: 'button', onclick: function () { go(hit); } }, [el('span', { text: hit.text }), el('small', { text: hit.layer.label })])]));
    });
    if (!hits.length) found.appendChild(el('li', { 'class': 'none', text: t.search_none }));
    if (hits.length > 12) found.appendChild(el('li', { 'class': 'none', text: fill(t.search_more, { n: hits.length - 12 }) }));
  });
  search.addEventListener('keydown', function (e) {
    var first = found.querySelector('button');
    if (e.key === 'Enter' && first) first.click();
    if (e.key === 'ArrowDown' && first) { first.focus(); e.preventDefault(); }
    if (e.key === 'Escape') { search.value = ''; found.hidden = true; }
  });
  found.addEventListener('keydown', function (e) {
    var all = Array.prototype.slice.call(found.querySelectorAll('button')), i = all.indexOf(document.activeElement);
    if (e.key === 'ArrowDown' && all[i + 1]) { all[i + 1].focus(); e.preventDefault(); }
    if (e.key === 'ArrowUp') { (all[i - 1] || search).focus(); e.preventDefault(); }
    if (e.key === 'Escape') { found.hidden = true; search.focus(); }
  });

  var panel = el('aside', { id: 'panel', 'class': 'panel', 'aria-label': t.panel });
  var fold = el('button', { type: 'button', id: 'fold', 'aria-expanded': 'true', 'aria-controls': 'panel-body', text: t.hide_panel });
  fold.addEventListener('click', function () {
    var shut = panel.classList.toggle('folded');
    fold.textContent = shut ? t.show_panel : t.hide_panel;
    fold.setAttribute('aria-expanded', String(!shut));
  });
  body.id = 'panel-body';
  panel.appendChild(el('div', { 'class': 'head' }, [el('strong', { text: t.panel }), fold]));
  panel.appendChild(body);
  function show(b) {
    var side = map.getSize().x > 760 ? 290 : 10;
    map.fitBounds([[b[1], b[0]], [b[3], b[2]]], { animate: false, paddingTopLeft: [10, 10], paddingBottomRight: [side, 10] });
  }
  var bar = el('header', { 'class': 'bar' }, [
    el('div', { 'class': 'titles' }, [el('h1', { text: data.title }), el('p', {}, [
      el('span', { text: data.subtitle }), data.warning ? el('em', { text: data.warning }) : null])]),
    el('div', { 'class': 'find', role: 'search' }, index.length ? [search, found] : []),
    el('button', { type: 'button', id: 'whole', text: t.locate_all, onclick: function () { show(data.bounds); } }),
    el('button', { type: 'button', id: 'print', text: t.print, onclick: function () { window.print(); } })
  ]);
  document.body.insertBefore(bar, document.body.firstChild);
  document.body.appendChild(panel);
  L.DomEvent.disableClickPropagation(panel);

  L.control.zoom({ position: 'topleft', zoomInTitle: t.zoom_in, zoomOutTitle: t.zoom_out }).addTo(map);
  var scale = L.control.scale({ position: 'bottomleft', imperial: false, maxWidth: 120 });
  scale._updateMetric = function (max) {
    var m = this._getRoundNum(max);
    this._updateScale(this._mScale, m < 1000 ? fill(t.scale_m, { value: m }) : fill(t.scale_km, { value: m / 1000 }), m / max);
  };
  scale.addTo(map);
  var north = L.control({ position: 'bottomleft' });
  north.onAdd = function () { return el('div', { 'class': 'north', text: '↑ ' + t.north }); };
  north.addTo(map);

  /* The page takes its paper shape before it is printed, so that the map can be drawn anew for it. */
  var seen = null;
  function paper(on) {
    if (on === document.body.classList.contains('printing')) return;
    if (on) seen = { bounds: map.getBounds(), centre: map.getCenter(), zoom: map.getZoom() };
    document.body.classList.toggle('printing', on);
    map.invalidateSize({ animate: false });
    if (on) map.fitBounds(seen.bounds.pad(-0.12), { animate: false });
    else map.setView(seen.centre, seen.zoom, { animate: false });
  }
  window.addEventListener('beforeprint', function () { paper(true); });
  window.addEventListener('afterprint', function () { paper(false); });
  window.matchMedia('print').addEventListener('change', function (e) { paper(e.matches); });

  if (window.innerWidth <= 760) fold.click();
  show(data.view);
  if (data.hourly) setHour(0);
  data.layers.forEach(function (layer) { if (layer.on) toggle(layer.id, true); });
  document.documentElement.setAttribute('data-ready', 'yes');
  window.yilu = { map: map, data: data, toggle: toggle, shift: shift };
}
window.yiluStart = start;
