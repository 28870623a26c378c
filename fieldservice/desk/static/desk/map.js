// Open orders and masters at work. Without a tile server the districts are named on an empty sheet.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("desk-map");
  if (!box) return;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--desk-${name || "plain"}`).trim();
  const map = L.map(box, { zoomControl: false, attributionControl: false });
  L.control.zoom({ zoomInTitle: box.dataset.in, zoomOutTitle: box.dataset.out }).addTo(map);
  const scale = L.control.scale({ imperial: false });
  const written = scale._updateScale.bind(scale);
  const metres = { km: box.dataset.km, m: box.dataset.m };
  scale._updateScale = (line, text, ratio) => written(line, text.replace(/k?m/, (unit) => metres[unit]), ratio);
  scale.addTo(map);
  if (box.dataset.tiles) L.tileLayer(box.dataset.tiles, { maxZoom: 19 }).addTo(map);
  const layers = { orders: L.layerGroup().addTo(map), masters: L.layerGroup().addTo(map), names: L.layerGroup().addTo(map) };

  const line = (text, tag = "div") => {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  };

  const popup = (point) => {
    const content = document.createElement("div");
    content.append(line(point.title, "b"), line(point.status), ...point.lines.map((text) => line(text)));
    if (point.master) content.append(line(point.master));
    const link = line(box.dataset.open, "a");
    link.href = point.link;
    content.append(link);
    return content;
  };

  // several at one rough place stand in a ring around it
  const spread = (points) => {
    const seen = new Map();
    return points.map((point) => {
      const key = point.at.map((number) => number.toFixed(5)).join();
      const turn = seen.get(key) ?? 0;
      seen.set(key, turn + 1);
      if (!turn) return point.at;
      const radius = 0.004 * Math.ceil(turn / 8);
      const angle = (turn * 2 * Math.PI) / 8 + Math.ceil(turn / 8);
      return [point.at[0] + radius * Math.sin(angle), point.at[1] + radius * 1.7 * Math.cos(angle)];
    });
  };

  const put = (layer, points, shape) => {
    layer.clearLayers();
    const at = spread(points);
    points.forEach((point, number) => {
      const marker = L.circleMarker(at[number], {
        radius: shape.radius, weight: 2, color: colour(point.tone), fillColor: colour(point.tone),
        fillOpacity: point.exact ? 0.75 : 0.2, dashArray: shape.dash,
      });
      marker.bindPopup(popup(point)).bindTooltip(point.title).addTo(layer);
    });
  };

  const show = (points, fit) => {
    put(layers.orders, points.orders, { radius: 9 });
    put(layers.masters, points.masters, { radius: 6, dash: "3 2" });
    for (const name of ["orders", "masters"]) {
      document.querySelector(`[data-count=${name}]`).textContent = points[name].length;
    }
    if (!fit) return;
    for (const district of points.districts) {
      L.marker(district.at, { interactive: false, keyboard: false, icon: L.divIcon({ className: "desk-map-name", html: line(district.name) }) }).addTo(layers.names);
    }
    const all = [...points.orders, ...points.masters, ...points.districts].map((point) => point.at);
    if (all.length > 1) map.fitBounds(all, { padding: [30, 30], maxZoom: 14 });
    else map.setView(all[0] ?? points.centre ?? [55.75, 37.62], 11);
  };

  show(JSON.parse(document.getElementById("desk-points").textContent), true);
  for (const input of document.querySelectorAll("[data-layer]")) {
    input.addEventListener("change", () => {
      const layer = layers[input.dataset.layer];
      if (input.checked) layer.addTo(map);
      else layer.remove();
    });
  }
  setInterval(async () => {
    if (document.hidden || box.querySelector(".leaflet-popup")) return;
    const answer = await fetch(box.dataset.url, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok && !answer.redirected) show(await answer.json(), false);
  }, 10000);
});
