/* What the parts of layers draw, what a click hits on them, and what changes with the hour and the view (today, plan, change). */
function classOf(v, breaks) {
  if (v !== v) return -1;
  if (v <= 0) return -2;
  var c = 0;
  while (c < breaks.length && v >= breaks[c]) c++;
  return c;
}
function clipToArea(app, ctx, view) {
  if (!app.area) return;
  ctx.beginPath(); outlinePath(ctx, app.area, view); ctx.clip('evenodd');
}
function hourly(app, part, layer) {
  var t = app.t, data = app.data, line = part.type === 'flows';
  var s = app.geo(part.geo), count = s.n, all = hourRows(part.hours, count), day = new Float32Array(count), cls = new Int8Array(count);
  for (var i = 0; i < count; i++) {
    var sum = NaN;
    for (var h = 0; h < 24; h++) { var v = all[24 * i + h]; if (v === v) sum = (sum === sum ? sum : 0) + v; }
    day[i] = sum;
  }
  if (part.day) { var given = varints(part.day); for (i = 0; i < count; i++) day[i] = given[i] / 10; }
  function value(i) { return app.hour < 0 ? day[i] : all[24 * i + app.hour]; }
  function classify() {
    var breaks = app.hour < 0 ? part.breaks.day : part.breaks.hour;
    for (var i = 0; i < count; i++) cls[i] = classOf(value(i), breaks);
  }
  classify();
  var riders = part.riders ? varints(part.riders) : null;
  return {
    area: !line,
    paint: function (ctx, view) {
      var by = {}, c;
      for (var i = 0; i < count; i++) {
        if (cls[i] === -2 || (line && cls[i] === -1)) continue;
        if (near(s, i, view, line ? 12 : 2)) (by[cls[i]] = by[cls[i]] || []).push(i);
      }
      ctx.lineJoin = ctx.lineCap = 'round';
      if (!line) clipToArea(app, ctx, view);
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
          if (view.z >= 13.5) { ctx.strokeStyle = 'rgba(255,255,255,.6)'; ctx.lineWidth = 0.7; ctx.stroke(); }
        }
      }
    },
    change: classify,
    hit: function (x, y, reach) {
      var best = -1, least = reach;
      if (!line && app.area && !inShape(app.area, x, y)) return -1;
      for (var i = 0; i < count; i++) {
        if (cls[i] === -2) continue;
        var b = s.box, j = 4 * i;
        if (x < b[j] - reach || x > b[j + 2] + reach || y < b[j + 1] - reach || y > b[j + 3] + reach) continue;
        if (line) {
          if (cls[i] === -1) continue;
          var d = lineDistance(s, i, x, y);
          if (d < least) { least = d; best = i; }
        } else if (inRing(s, i, x, y)) return i;
      }
      return best;
    },
    item: function (i) {
      var rows = [], v = value(i), hours = Array.prototype.slice.call(all, 24 * i, 24 * i + 24);
      var said = v === v ? figure(v) + ' ' + part.unit : fill(t.redacted, { k: data.k });
      if (line) rows.push([t.flow_riders, figure(day[i])]);
      if (riders) rows.push([t.cell_riders, riders[i] ? figure(riders[i] - 1).replace(/\.0$/, '') : fill(t.redacted, { k: data.k })]);
      if (app.hour >= 0) rows.push([t.value_hour, said]); else if (!line) rows.push([t.all_day, said]);
      var name = part.names ? part.names[part.name[i]] || t.unnamed_road : t.cell;
      var known = hours.some(function (h) { return h === h; });
      return { t: name, s: layer.label, r: rows, h: known ? hours : null, c: part.chart };
    }
  };
}
function classed(app, part) {
  var s = app.geo(part.geo), first = [], i;
  for (i = 0; i < s.n; i++) if (!s.owner || !i || s.owner[i] !== s.owner[i - 1]) first.push(i);
  function ownerOf(i) { return s.owner ? s.owner[i] : i; }
  function classes() { return part.views ? part.views[app.mode] : part.cls; }
  return {
    area: !part.line && !part.palette.some(function (p) { return p.radius; }),
    change: part.views ? function () {} : null,
    paint: function (ctx, view) {
      var cls = classes();
      part.palette.forEach(function (style, c) {
        if (style.from && view.z < style.from) return;
        ctx.beginPath();
        var any = false;
        for (var i = 0; i < s.n; i++) {
          if (cls[i] !== c || !near(s, i, view, 14)) continue;
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
          ctx.lineJoin = ctx.lineCap = 'round'; ctx.setLineDash(style.dashes || []);
          if (style.halo) { ctx.strokeStyle = style.halo; ctx.lineWidth = (style.width || 1) + 3; ctx.stroke(); }
          ctx.strokeStyle = style.edge; ctx.lineWidth = style.width || 1; ctx.stroke(); ctx.setLineDash([]);
        }
      });
    },
    /* Names only where they fit into what they name; none that does not is shortened or laid over its neighbour. */
    words: part.text ? function (ctx, view) {
      ctx.font = '600 11px ' + app.data.font; ctx.textAlign = 'center'; ctx.textBaseline = 'middle';
      ctx.lineWidth = 3; ctx.strokeStyle = 'rgba(255,255,255,.9)'; ctx.fillStyle = '#222';
      app.written = 0;
      first.forEach(function (i) {
        if (!near(s, i, view, 0)) return;
        var b = s.box, k = view.scale, wide = (b[4 * i + 2] - b[4 * i]) * k, tall = (b[4 * i + 3] - b[4 * i + 1]) * k;
        if (tall < 15 || wide < 20) return;
        var words = part.text[ownerOf(i)];
        if (part.fits !== false && ctx.measureText(words).width + 6 > wide * 0.9) return;
        if (part.fits === false && view.z < part.textFrom) return;
        var x = (b[4 * i] + b[4 * i + 2]) / 2 * k - view.x, y = (b[4 * i + 1] + b[4 * i + 3]) / 2 * k - view.y;
        ctx.strokeText(words, x, y); ctx.fillText(words, x, y);
        app.written++;
      });
    } : null,
    hit: part.items ? function (x, y, reach) {
      var cls = classes();
      for (var i = 0; i < s.n; i++) {
        var style = part.palette[cls[i]], b = s.box, j = 4 * i, pad = style && style.radius ? reach * 1.6 : 0;
        if (!style || x < b[j] - pad || x > b[j + 2] + pad || y < b[j + 1] - pad || y > b[j + 3] + pad) continue;
        if (style.radius || inRing(s, i, x, y)) return ownerOf(i);
      }
      return -1;
    } : null,
    item: part.items ? function (i) { return part.items[i]; } : null,
    ring: function (feature) {
      var rings = [];
      for (var i = 0; i < s.n; i++) if (ownerOf(i) === feature && s.ptr[i + 1] - s.ptr[i] > 2) rings.push(ringOf(s, i));
      return rings.length ? rings : null;
    },
    centre: function (feature) {
      for (var r = 0; r < s.n; r++) if (ownerOf(r) === feature) {
        var b = s.box;
        return lonlat((b[4 * r] + b[4 * r + 2]) / 2, (b[4 * r + 1] + b[4 * r + 3]) / 2);
      }
      return null;
    }
  };
}
/* From where a station is reached: areas of stations as one shape, today, under the plan, or what is won and lost. */
function coverage(app, part) {
  var s = app.geo(part.geo);
  function isOpen(hours, site) { return app.hour < 0 || !hours[site] || hours[site].charAt(app.hour) === '1'; }
  function path(which, view, seen) {
    var way = new Path2D(), any = false;
    for (var i = 0; i < s.n; i++) {
      var site = s.owner ? s.owner[i] : i;
      if (part[which][site] !== 1 || !isOpen(part[which + 'Hours'], site) || (seen && !near(s, i, view, 4))) continue;
      any = true;
      trace(way, s, i, view, true);
    }
    return any ? way : null;
  }
  function filled(ctx, way, colour) { if (way) { ctx.fillStyle = colour; ctx.fill(way, 'nonzero'); } }
  /* Only the outer line of many areas: all lines, then everything inside is taken out again. */
  function border(ctx, way, colour, dashes) {
    if (!way) return;
    var own = document.createElement('canvas');
    own.width = ctx.canvas.width; own.height = ctx.canvas.height;
    var pen = own.getContext('2d');
    pen.setTransform(ctx.getTransform());
    pen.setLineDash(dashes); pen.lineJoin = 'round'; pen.strokeStyle = colour; pen.lineWidth = 6; pen.stroke(way);
    pen.globalCompositeOperation = 'destination-out'; pen.fill(way, 'nonzero');
    ctx.save(); ctx.setTransform(1, 0, 0, 1, 0, 0); ctx.drawImage(own, 0, 0); ctx.restore();
  }
  return {
    area: true,
    change: function () {},
    paint: function (ctx, view) {
      var today = path('today', view, true), plan = path('plan', view, true), style = part.style;
      if (app.mode === 'today') { filled(ctx, today, style.todayFill); border(ctx, today, style.today, []); return; }
      if (app.mode === 'plan') { filled(ctx, plan, style.planFill); border(ctx, plan, style.plan, []); return; }
      filled(ctx, plan, style.won);
      if (today) {
        ctx.save(); ctx.globalCompositeOperation = 'destination-out'; filled(ctx, today, '#000'); ctx.restore();
        filled(ctx, today, style.lost);
        if (plan) {
          ctx.save(); ctx.clip(today, 'nonzero'); ctx.globalCompositeOperation = 'destination-out'; filled(ctx, plan, '#000');
          ctx.globalCompositeOperation = 'source-over'; filled(ctx, plan, style.both); ctx.restore();
        }
      }
      border(ctx, today, style.today, [7, 5]); border(ctx, plan, style.plan, []);
    }
  };
}
function badge(icon, shut, alone) {
  var size = icon.size || 26;
  var node = el('span', { 'class': 'badge ' + icon.shape + (shut ? ' shut' : '') + (alone ? ' gone' : '') }, [el('b', { text: icon.text || '' })]);
  node.style.background = icon.color; node.style.color = icon.ink || '#fff';
  node.style.width = node.style.height = size + 'px';
  return L.divIcon({ className: 'badge-box', html: node, iconSize: [size, size], iconAnchor: [size / 2, size / 2] });
}
function markers(app, part, layer) {
  var t = app.t, group = part.cluster ? L.markerClusterGroup({
    maxClusterRadius: 38, disableClusteringAtZoom: 15, animate: false, showCoverageOnHover: false, spiderfyOnMaxZoom: false,
    iconCreateFunction: function (cluster) {
      var n = cluster.getChildCount(), node = el('span', { 'class': 'cluster', title: fill(t.cluster, { n: n }) }, [el('b', { text: String(n) })]);
      node.style.borderColor = part.color;
      return L.divIcon({ className: 'badge-box', html: node, iconSize: [34, 34] });
    }
  }) : L.layerGroup();
  part.items.forEach(function (item) {
    var at = [item.p[1], item.p[0]], options = { icon: badge(item.i), keyboard: true, alt: item.t, title: item.t, riseOnHover: true };
    if (layer.side) options.pane = 'marks-' + layer.side;
    item.marker = L.marker(at, options);
    item.marker.on('add', function () {
      var node = item.marker.getElement();
      if (node) { node.setAttribute('role', 'button'); node.setAttribute('aria-label', item.t + (item.s ? ', ' + item.s : '')); }
    });
    item.marker.on('click keypress', function (e) {
      if (e.type === 'keypress' && e.originalEvent && e.originalEvent.key !== 'Enter' && e.originalEvent.key !== ' ') return;
      if (app.measuring) { app.measuring(L.latLng(at)); return; }
      app.openCard(at, item, [0, -8]);
    });
    item.there = true;
  });
  var all = part.items.map(function (item) { return item.marker; });
  if (group.addLayers) group.addLayers(all); else all.forEach(function (m) { group.addLayer(m); });
  function change() {
    part.items.forEach(function (item) {
      /* stations of the plan are not there today; those that it shuts are there today only */
      var there = !item.when || app.mode === 'change' || item.when === app.mode;
      if (there !== item.there) { item.there = there; if (there) group.addLayer(item.marker); else group.removeLayer(item.marker); }
      var hours = app.mode === 'today' && item.ot ? item.ot : item.o;
      var shut = Boolean(hours) && app.hour >= 0 && !hours[app.hour], gone = item.when === 'today' && app.mode === 'change';
      if (shut !== Boolean(item.shut) || gone !== Boolean(item.gone)) { item.shut = shut; item.gone = gone; item.marker.setIcon(badge(item.i, shut, gone)); }
    });
  }
  change();
  return { layer: group, change: change };
}
