/// Draws the sweep page's charts, with what `chartPrologue` has.
let sweepScript =
  chartPrologue + #"""
      const named = index => index === 0 ? 0 : (index - 1) % 7 + 1;
      const open = (event, hits, chart) => {
        const dot = hits.length > 0 ? chart.data.datasets[hits[0].datasetIndex].data[hits[0].index].dot : undefined;
        if (dot !== undefined && dot.link) location.href = dot.link;
      };
      const point = (event, hits) => { event.native.target.style.cursor = hits.length > 0 ? "pointer" : "default"; };

      // A little more than what there is.
      const around = values => {
        const low = Math.min(...values), high = Math.max(...values), room = Math.pow(high / low, 0.06);
        return { min: low / Math.max(room, 1.02), max: high * Math.max(room, 1.02) };
      };

      function drawAll() {
        const scatter = (field, format) => draw("chart-" + field, () => {
          const place = dot => ({ x: dot[field], y: dot.accuracy, dot: dot });
          return {
            type: "scatter",
            data: { datasets: data.variants.map((name, v) => series(name, named(v), data.dots.filter(d => d.variant === v).map(place), {
              pointRadius: 4, pointHoverRadius: 6, borderWidth: 0, backgroundColor: color("s" + named(v)) + "c0", order: 1,
            })).concat([series("front", 0, data.fronts[field].map(i => place(data.dots[i])), {
              type: "line", stepped: "before", borderColor: color("ink"), borderWidth: 1.2, swatch: color("ink"), order: 2,
              pointRadius: 0, pointHitRadius: 0,
            })]) },
            options: {
              interaction: { mode: "nearest", intersect: true },
              onClick: open, onHover: point,
              scales: {
                x: logarithmic(format, around(data.dots.map(dot => dot[field]))),
                y: axis("", percent, data.lowest === null || data.lowest === undefined ? {} : { min: data.lowest }),
              },
              plugins: tooltip(item => [item.raw.dot.label, data.variants[item.raw.dot.variant] + ": " + percent(item.raw.y) + ", " + format(item.raw.x)]),
            },
          };
        });
        scatter("gzip", bytes);
        scatter("median", time);
        scatter("macs", count => count >= 1e9 ? digits(count / 1e9, 3) + " G" : count >= 1e6 ? digits(count / 1e6, 3) + " M" : digits(count / 1e3, 3) + " k");
        draw("chart-params", () => {
          const front = new Set(data.fronts.gzip);
          const lines = data.dots.map((dot, i) => series(dot.label, named(dot.variant), dot.places.map((y, k) => ({ x: k, y: y, dot: dot })), {
            borderColor: color("s" + named(dot.variant)) + (front.has(i) ? "ff" : "38"), borderWidth: front.has(i) ? 2.2 : 1,
            order: front.has(i) ? 0 : 1, cubicInterpolationMode: "monotone", pointHitRadius: 4, spanGaps: true, clip: 6,
          }));
          return {
            type: "line",
            data: { datasets: lines },
            options: {
              interaction: { mode: "nearest", intersect: false, axis: "xy" },
              onClick: open, onHover: point,
              scales: {
                x: axis("", null,
                  { type: "linear", min: 0, max: data.columns.length - 1, ticks: Object.assign({}, axis("").ticks, {
                    stepSize: 1, color: color("ink"), maxRotation: 0, autoSkip: false, font: { size: 11 },
                    callback: value => data.columns[value] === undefined ? null
                      : [short(data.columns[value].name, 24), short(data.columns[value].low, 18), "to " + short(data.columns[value].high, 18)],
                  }) }),
                y: axis("", () => null, { min: 0, max: 1, grid: { display: false } }),
              },
              plugins: Object.assign({ legend: { display: false } }, tooltip(item => {
                const dot = item.raw.dot;
                return [dot.label, data.variants[dot.variant] + ": " + percent(dot.accuracy) + ", " + bytes(dot.gzip) + ", " + time(dot.median)];
              })),
            },
          };
        });
      }
    """# + chartEpilogue
