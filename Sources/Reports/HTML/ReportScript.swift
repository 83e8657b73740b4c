/// What the scripts of all pages begin with: the data, colours that follow the reader's scheme, numbers as text, axes
/// and series. A script then defines `drawAll` and ends with `chartEpilogue`.
let chartPrologue = #"""

  "use strict";
  (function () {
    const data = JSON.parse(document.getElementById("data").textContent);
    const charts = [];
    const color = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
    const short = (text, limit) => text.length > limit ? text.slice(0, limit - 1) + "…" : text;
    const digits = (value, most) => Number(value.toPrecision(most)).toLocaleString("en-US", { maximumSignificantDigits: most });
    const time = ms => ms >= 1000 ? digits(ms / 1000, 3) + " s" : ms >= 1 ? digits(ms, 3) + " ms" : digits(ms * 1000, 3) + " µs";
    const bytes = count => count >= 1e6 ? digits(count / 1e6, 3) + " MB" : count >= 1e3 ? digits(count / 1e3, 3) + " kB" : count + " B";
    const percent = share => digits(share, 4) + " %";
    const pairs = list => {
      const points = [];
      for (let i = 0; i + 1 < list.length; i += 2) points.push({ x: list[i], y: list[i + 1] });
      return points;
    };
    // The eighth colour is followed by the first again, but dashed.
    const dash = index => index > 7 ? [6, 3] : [];

    // Labels on a logarithmic axis that stay apart: decades before 2 and 5, these before other steps, the ends last.
    const onDecades = format => function (value, index, ticks) {
      const span = Math.log(this.max / this.min), kept = [];
      const place = tick => span > 0 ? Math.log(tick.value / this.min) / span : 0;
      const rank = tick => {
        const lead = tick.value / Math.pow(10, Math.floor(Math.log10(tick.value) + 1e-9));
        const step = [1, 2, 5].findIndex(step => Math.abs(lead - step) < 1e-6);
        return step >= 0 ? Math.min(step, 1) : Math.abs(lead - Math.round(lead)) < 1e-6 ? 2 : 3;
      };
      for (const tick of ticks.slice().sort((a, b) => rank(a) - rank(b))) {
        if (kept.every(other => Math.abs(place(other) - place(tick)) >= 0.15)) kept.push(tick);
      }
      return kept.some(tick => tick.value === value) ? format(value) : null;
    };

    function axis(title, format, more) {
      return Object.assign({
        title: { display: title !== "", text: title, color: color("soft"), font: { size: 11 } },
        grid: { color: color("grid"), borderColor: color("line") },
        border: { color: color("line") },
        ticks: { color: color("soft"), callback: format, maxRotation: 0, autoSkipPadding: 12, font: { size: 11 } },
      }, more);
    }

    function logarithmic(format, more) {
      const made = axis("", onDecades(format), Object.assign({ type: "logarithmic" }, more));
      made.ticks.autoSkip = false;
      return made;
    }

    function draw(id, make) {
      const canvas = document.getElementById(id);
      if (canvas === null) return;
      const config = make();
      config.options = Object.assign({
        animation: false, responsive: true, maintainAspectRatio: false, normalized: true,
        interaction: { mode: "nearest", intersect: false },
      }, config.options);
      config.options.plugins = Object.assign({
        legend: {
          position: "top", align: "start",
          labels: {
            color: color("ink"), boxWidth: 10, boxHeight: 10, padding: 10, font: { size: 11 },
            generateLabels: chart => chart.data.datasets.map((set, index) => ({
              text: short(set.label, 40), datasetIndex: index, hidden: !chart.isDatasetVisible(index),
              fillStyle: set.swatch, strokeStyle: set.swatch, fontColor: color("ink"), lineWidth: 0,
            })),
          },
        },
      }, config.options.plugins);
      charts.push({ id: id, make: make, chart: new Chart(canvas, config) });
    }

    function series(name, index, points, more) {
      const stroke = color("s" + index);
      return Object.assign({
        label: name, data: points, swatch: stroke, borderColor: stroke, backgroundColor: stroke, borderWidth: 1.8,
        pointRadius: 0, pointHitRadius: 6,
      }, more);
    }

    const tooltip = label => ({ tooltip: { callbacks: { title: () => "", label: label } } });

  """#

/// Draws the page's charts with Chart.js 3 or 4 from the JSON beside it. Text goes into the canvas as text, never
/// into the document.
let reportScript =
  chartPrologue + #"""
      function drawAll() {
        draw("chart-runs", () => ({
          type: "scatter",
          data: { datasets: data.variants.map(v => series(v.name, v.color, pairs(v.runs), {
            pointRadius: 1.5, borderWidth: 0, backgroundColor: color("s" + v.color) + "b0",
          })) },
          options: {
            scales: {
              x: axis("image", value => value.toLocaleString("en-US"), { type: "linear" }),
              y: logarithmic(time, { min: data.start }),
            },
            plugins: tooltip(item => item.dataset.label + ", image " + item.raw.x.toLocaleString("en-US") + ": " + time(item.raw.y)),
          },
        }));
        draw("chart-distribution", () => ({
          type: "line",
          data: { datasets: data.variants.map((v, i) => series(v.name, v.color, pairs(v.distribution), { stepped: "before", borderDash: dash(i), clip: { left: 0, right: 0, top: 3, bottom: 3 } })) },
          options: {
            scales: {
              x: logarithmic(time, { min: data.start, max: data.distributionEnd }),
              y: axis("", value => value + " %", { min: 0, max: 100 }),
            },
            plugins: tooltip(item => item.dataset.label + ": " + percent(item.raw.y) + " took at most " + time(item.raw.x)),
          },
        }));
        const bars = (id, field, format, scale) => draw(id, () => ({
          type: "bar",
          data: {
            labels: data.layers.map(name => short(name, 24)),
            datasets: data.variants.map(v => series(v.name, v.color, v[field], { borderWidth: 0, borderRadius: 2, categoryPercentage: 0.82, barPercentage: 0.92 })),
          },
          options: {
            indexAxis: "y",
            interaction: { mode: "nearest", axis: "y", intersect: false },
            scales: {
              x: axis("", format, Object.assign({ beginAtZero: true }, scale)),
              y: axis("", undefined, { grid: { display: false }, ticks: { color: color("ink"), font: { size: 11 }, autoSkip: true } }),
            },
            plugins: tooltip(item => item.dataset.label + ", " + data.layers[item.dataIndex] + ": " + format(item.raw)),
          },
        }));
        // Tall enough that a bar can be seen for each variant of each layer.
        for (const id of ["chart-bytes", "chart-nonzero"]) {
          const canvas = document.getElementById(id);
          if (canvas !== null) {
            const rows = data.layers.length * (data.variants.length + 1);
            canvas.parentElement.style.height = Math.min(4000, Math.max(260, 90 + rows * 9)) + "px";
          }
        }
        bars("chart-bytes", "bytes", bytes, {});
        bars("chart-nonzero", "nonzero", percent, { max: 100 });
        const points = values => values.map((y, k) => ({ x: k + 1, y: y })).filter(p => p.y !== null && p.y !== undefined);
        const curve = (id, field, format, scale, validation) => draw(id, () => ({
          type: "line",
          data: { datasets: data.training.map(t => series(t.name, t.color, points(t[field]), {
            pointRadius: t[field].length > 60 ? 0 : 3, borderDash: t.isDashed ? [6, 3] : [], clip: 6,
          })).concat(data.training.filter(t => validation && points(t[validation]).length > 0).map(t =>
            series(t.name + ", validation", t.color, points(t[validation]), {
              pointRadius: t[validation].length > 60 ? 0 : 3, borderDash: [2, 3], clip: 6,
            }))) },
          options: {
            scales: {
              x: axis("epoch", value => Number.isInteger(value) ? value : null, { type: "linear", min: 1, ticks: { color: color("soft"), precision: 0, font: { size: 11 } } }),
              y: axis("", format, scale),
            },
            plugins: tooltip(item => item.dataset.label + ", epoch " + item.raw.x + ": " + format(item.raw.y)),
          },
        }));
        curve("chart-loss", "loss", value => digits(value, 3), { beginAtZero: true }, "validationLoss");
        curve("chart-training-accuracy", "accuracy", percent, {}, "validationAccuracy");
        curve("chart-learning-rate", "rate", value => digits(value, 2), { beginAtZero: true });
        const rounds = (id, course, sets, scale) => draw(id, () => ({
          type: "line",
          data: { labels: course.rounds.map(name => short(name, 20)), datasets: sets() },
          options: {
            interaction: { mode: "nearest", axis: "x", intersect: false },
            scales: {
              x: axis("", undefined, { ticks: { color: color("soft"), maxRotation: 0, autoSkipPadding: 8, font: { size: 11 } } }),
              y: axis("", percent, scale),
            },
            plugins: tooltip(item => item.dataset.label + ", " + course.rounds[item.dataIndex] + ": " + percent(item.raw)),
          },
        }));
        data.courses.forEach((course, number) => {
          const dots = { pointRadius: 3, clip: 6 };
          const judged = () => [series(data.measure, 1, course.accuracy, dots)];
          rounds("chart-course-" + number + "-accuracy", course, judged, {});
          rounds("chart-course-" + number + "-left", course,
            () => course.left.map((count, i) => series(count.name, count.color, count.values, Object.assign({ borderDash: i % 2 ? [6, 3] : [] }, dots))),
            { min: 0 });
        });
      }
    """# + chartEpilogue

/// Draws, and draws again when the colour scheme changes.
let chartEpilogue = #"""

    drawAll();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const entry of charts.splice(0)) entry.chart.destroy();
      drawAll();
    });
  })();

  """#
