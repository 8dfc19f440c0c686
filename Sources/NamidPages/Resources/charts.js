// The script that hands each chart's JSON to Chart.js.
//
// It keeps to options that versions 3 and 4 share. Error bars are a small plugin, because the
// library draws none. A chart that fails shows its table and leaves the others alone.
"use strict";
(function () {
  const canvases = Array.from(document.querySelectorAll("canvas[data-chart]"));
  const number = new Intl.NumberFormat("en", {maximumSignificantDigits: 5});
  let charts = [];

  function theme() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue("--" + name).trim();
    return {
      font: getComputedStyle(document.body).fontFamily,
      text: colour("text"), muted: colour("muted"), line: colour("line"),
      surface: colour("surface"),
      series: [1, 2, 3, 4, 5, 6].map((index) => colour("series-" + index)),
    };
  }

  const errorBars = {
    id: "errorBars",
    afterDatasetsDraw(chart) {
      const context = chart.ctx;
      const area = chart.chartArea;
      context.save();
      context.beginPath();
      context.rect(area.left, area.top, area.right - area.left, area.bottom - area.top);
      context.clip();
      context.lineWidth = 1.5;
      context.lineCap = "butt";
      chart.data.datasets.forEach((dataset, index) => {
        const meta = chart.getDatasetMeta(index);
        if (!chart.isDatasetVisible(index)) return;
        context.strokeStyle = dataset.errorColour;
        meta.data.forEach((element, place) => {
          const interval = dataset.intervals[place];
          if (!interval || !Number.isFinite(element.x)) return;
          const low = meta.yScale.getPixelForValue(interval[0]);
          const high = meta.yScale.getPixelForValue(interval[1]);
          const arm = Math.min(6, Math.max(2, (element.width || 12) / 4));
          context.beginPath();
          context.moveTo(element.x, low);
          context.lineTo(element.x, high);
          for (const end of [low, high]) {
            context.moveTo(element.x - arm, end);
            context.lineTo(element.x + arm, end);
          }
          context.stroke();
        });
      });
      context.restore();
    },
  };

  function axis(payload, colours) {
    const options = {
      title: {display: payload.title !== "", text: payload.title, color: colours.muted},
      ticks: {color: colours.muted, precision: payload.isCount ? 0 : undefined},
      grid: {color: colours.line, borderColor: colours.line},
      border: {color: colours.line},
      type: "linear",
    };
    if (payload.minimum != null) options.min = payload.minimum;
    if (payload.maximum != null) options.max = payload.maximum;
    return options;
  }

  function horizontal(payload, colours) {
    const x = axis(payload.x, colours);
    if (payload.kind === "bar" || payload.kind === "binned") {
      delete x.min;
      delete x.max;
      x.type = "category";
      x.grid = Object.assign({}, x.grid, {display: false});
    }
    if (payload.kind === "histogram") {
      const edges = payload.edges;
      x.type = "linear";
      x.offset = false;
      x.min = edges[0];
      x.max = edges[edges.length - 1];
      x.grid = Object.assign({}, x.grid, {display: false, offset: false});
      // Bars are never wider than the ticks are apart, so ticks must not outnumber them.
      x.ticks = Object.assign(x.ticks, {
        includeBounds: false, maxTicksLimit: Math.min(11, edges.length),
      });
    }
    return x;
  }

  function vertical(payload, colours) {
    const y = axis(payload.y, colours);
    const ends = payload.series.flatMap((series) => series.intervals)
      .filter((interval) => interval != null).flat();
    if (ends.length > 0) {
      y.suggestedMin = ends.reduce((a, b) => Math.min(a, b));
      y.suggestedMax = ends.reduce((a, b) => Math.max(a, b));
    }
    return y;
  }

  function points(payload, series) {
    const heights = series.y;
    if (payload.kind === "bar" || payload.kind === "binned") return heights;
    if (payload.kind === "histogram") {
      return heights.map((value, index) =>
        ({x: (payload.edges[index] + payload.edges[index + 1]) / 2, y: value}));
    }
    return heights.map((value, index) => ({x: series.x[index], y: value}));
  }

  function dataset(payload, series, index, colours) {
    const colour = colours.series[index % colours.series.length];
    const round = Math.floor(index / colours.series.length);
    const touching = payload.kind === "histogram" || payload.kind === "binned";
    const few = series.y.length <= 30;
    const result = {
      label: series.name, data: points(payload, series), intervals: series.intervals,
      borderColor: colour, backgroundColor: colour, errorColour: colours.text,
    };
    if (payload.kind === "line") {
      const styles = ["circle", "rectRot", "triangle", "rect", "crossRot", "star"];
      return Object.assign(result, {
        errorColour: colour, showLine: true, borderWidth: 2,
        borderDash: round === 0 ? [] : [6, 4], spanGaps: false, tension: 0,
        pointStyle: styles[index % styles.length], pointHitRadius: 8,
        backgroundColor: colour, pointRadius: few ? 3 : 0,
      });
    }
    if (touching) {
      const single = payload.series.length === 1;
      return Object.assign(result, {
        grouped: false, barPercentage: 1, categoryPercentage: 1,
        backgroundColor: colour + (single ? "b3" : "73"), borderWidth: 1,
      });
    }
    return Object.assign(result, {
      barPercentage: 0.92, categoryPercentage: 0.72, maxBarThickness: 56,
      backgroundColor: colour + "d9", borderWidth: 0, borderRadius: 2,
    });
  }

  function tooltipTitle(payload, items) {
    if (items.length === 0) return "";
    if (payload.kind === "histogram") {
      const index = items[0].dataIndex;
      return number.format(payload.edges[index]) + " – "
        + number.format(payload.edges[index + 1]);
    }
    if (payload.kind === "bar" || payload.kind === "binned") return items[0].label;
    return (payload.x.title || "x") + " " + number.format(items[0].parsed.x);
  }

  function tooltipLabel(item) {
    const interval = item.dataset.intervals[item.dataIndex];
    const value = item.dataset.label + ": " + number.format(item.parsed.y);
    return interval == null ? value
      : value + " (" + interval.map((end) => number.format(end)).join(" to ") + ")";
  }

  function configuration(payload, colours) {
    const bars = payload.kind !== "line";
    return {
      type: bars ? "bar" : payload.kind,
      data: {
        labels: payload.categories.length > 0 ? payload.categories : undefined,
        datasets: payload.series.map(
          (series, index) => dataset(payload, series, index, colours)),
      },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false, locale: "en",
        color: colours.text, font: {family: colours.font, size: 12},
        devicePixelRatio: Math.max(2, window.devicePixelRatio || 1),
        interaction: bars ? {mode: "index", intersect: false}
          : {mode: "nearest", axis: "x", intersect: false},
        scales: {x: horizontal(payload, colours), y: vertical(payload, colours)},
        plugins: {
          legend: {
            display: payload.series.length > 1 || payload.kind === "line",
            position: "top", align: "start",
            labels: {
              color: colours.text, padding: 14, boxWidth: bars ? 12 : 8,
              boxHeight: bars ? 10 : 5.5, usePointStyle: !bars,
            },
          },
          // An empty line keeps the legend off the plot: its own padding is all above it.
          subtitle: {
            display: payload.series.length > 1 || payload.kind === "line",
            text: "", weight: 500,
            font: {size: 4}, padding: {top: 0, bottom: 4},
          },
          tooltip: {
            backgroundColor: colours.surface, borderColor: colours.line, borderWidth: 1,
            titleColor: colours.text, bodyColor: colours.text, padding: 10,
            boxPadding: 4,
            callbacks: {
              title: (items) => tooltipTitle(payload, items), label: tooltipLabel,
            },
          },
        },
      },
      plugins: [errorBars],
    };
  }

  function draw() {
    charts.forEach((chart) => chart.destroy());
    charts = [];
    const colours = theme();
    for (const canvas of canvases) {
      const figure = canvas.closest("figure");
      try {
        const data = document.getElementById(canvas.dataset.chart);
        const payload = JSON.parse(data.textContent);
        charts.push(new Chart(canvas, configuration(payload, colours)));
      } catch (error) {
        figure.classList.add("failed");
        figure.querySelector("details").open = true;
      }
    }
  }

  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  window.addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing");
    draw();
    charts.forEach((chart) => chart.resize(640, 300));
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    draw();
    charts.forEach((chart) => chart.resize());
  });
})();
