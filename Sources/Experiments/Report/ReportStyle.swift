/// The report's style sheet.
///
/// Colours are custom properties, which the script reads too, so a chart always matches its page.
/// The series' colours stay apart for readers who do not tell red from green.
enum ReportStyle {
  static let css = """
    :root {
      color-scheme: light;
      --page: #fafaf8; --surface: #ffffff; --text: #1f2429; --muted: #5c6670; --line: #dde0e4;
      --accent: #1f5fa8; --mark: #eaf1fa; --right: #1b8a5a; --wrong: #c8451b;
      --series-1: #2f6db5; --series-2: #d2601a; --series-3: #16916b;
      --series-4: #9a5fb0; --series-5: #b98a00; --series-6: #4d5761;
    }
    @media screen and (prefers-color-scheme: dark) {
      :root:not(.printing) {
        color-scheme: dark;
        --page: #14171a; --surface: #1b1f23; --text: #e3e6e9; --muted: #9ba5ae; --line: #343a41;
        --accent: #7fb2ea; --mark: #22303f; --right: #43b684; --wrong: #f0804f;
        --series-1: #6aa5e6; --series-2: #f0924f; --series-3: #45bd95;
        --series-4: #c490da; --series-5: #dcb53c; --series-6: #aab4bd;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body {
      margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 76rem;
      background: var(--page); color: var(--text);
      font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
      overflow-wrap: break-word;
    }
    h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.01em; }
    h2 {
      margin: 3rem 0 1rem; padding-bottom: 0.35rem; border-bottom: 1px solid var(--line);
      font-size: 1.3rem; line-height: 1.3;
    }
    h3 { margin: 0 0 0.6rem; font-size: 1rem; line-height: 1.35; }
    p { margin: 0 0 1rem; max-width: 46rem; }
    a { color: var(--accent); }
    .subtitle { margin: 0.5rem 0 0; color: var(--muted); }
    nav ol {
      display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; margin: 1.25rem 0 0; padding: 0;
      list-style: none; font-size: 0.92rem;
    }
    nav a { text-decoration: none; }
    nav a:hover { text-decoration: underline; }
    .facts {
      display: grid; grid-template-columns: repeat(auto-fill, minmax(min(12rem, 100%), 1fr));
      gap: 0.9rem 1.5rem; margin: 0 0 1.5rem;
    }
    dt { color: var(--muted); font-size: 0.82rem; }
    dd { margin: 0; font-variant-numeric: tabular-nums; }
    .table { margin: 0 0 1.75rem; }
    .caption { margin-bottom: 0.5rem; font-weight: 600; }
    .command, .note, .legend, .below, .images figcaption { color: var(--muted); font-size: 0.88rem; }
    .command { margin: 0.5rem 0 0; max-width: none; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    .table table { min-width: min(100%, 30rem); font-size: 0.94rem; }
    .table th, .table td {
      padding: 0.42rem 0.8rem; border-bottom: 1px solid var(--line);
      text-align: left; vertical-align: baseline;
    }
    .table th { color: var(--muted); font-size: 0.84rem; font-weight: 600; vertical-align: bottom; }
    .table thead th { border-bottom: 2px solid var(--line); }
    .table .number { text-align: right; }
    .table td.number { white-space: nowrap; }
    .table tr > :first-child { position: sticky; left: 0; background: var(--page); }
    .chart .table tr > :first-child { background: var(--surface); }
    .table th button {
      all: unset; box-sizing: border-box; cursor: pointer; font: inherit; color: inherit;
    }
    .table th button:hover { color: var(--text); }
    .table th button:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
    .table th button::after { content: "↕"; margin-left: 0.35em; opacity: 0.35; }
    .table th[aria-sort="ascending"] button::after { content: "↑"; opacity: 1; }
    .table th[aria-sort="descending"] button::after { content: "↓"; opacity: 1; }
    .table td small { display: block; color: var(--muted); font-size: 0.8em; font-weight: 400; }
    .table td a { text-decoration: none; }
    .table td a:hover, .table td a:focus { text-decoration: underline; }
    .list { margin: 0 0 1.25rem; font-size: 0.94rem; }
    .list p { margin: 0 0 0.35rem; }
    .list ul { margin: 0; padding-left: 1.25rem; columns: 22rem; column-gap: 2.5rem; }
    .list li { break-inside: avoid; }
    code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
    code { font-size: 0.88em; overflow-wrap: anywhere; }
    pre {
      margin: 0 0 1.5rem; padding: 0.9rem 1.1rem; overflow-x: auto; line-height: 1.5;
      border: 1px solid var(--line); border-radius: 8px; background: var(--surface);
    }
    pre code { overflow-wrap: normal; }
    figure { margin: 0 0 1.75rem; }
    .below, .images figcaption { margin: 0.6rem 0 0; max-width: 46rem; }
    .charts {
      display: grid; gap: 1.25rem; margin: 0 0 1.75rem;
      grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr));
    }
    .charts > .chart { margin: 0; }
    .chart {
      min-width: 0; padding: 1.1rem 1.2rem 0.9rem; break-inside: avoid;
      border: 1px solid var(--line); border-radius: 10px; background: var(--surface);
    }
    .canvas { position: relative; height: 20rem; }
    .note { margin-bottom: 0.6rem; }
    .undrawn { display: none; }
    .failed .undrawn { display: block; }
    .failed .canvas { display: none; }
    details { margin-top: 0.6rem; font-size: 0.88rem; }
    summary { color: var(--muted); cursor: pointer; }
    details .table { margin: 0.6rem 0 0.3rem; }
    details .scroll { max-height: 24rem; overflow-y: auto; }
    .images table { margin: 0 -6px; }
    .images th { padding: 0 8px 4px; font-size: 0.84rem; font-weight: 600; line-height: 1.3; }
    .images thead th { width: 1px; vertical-align: bottom; }
    .images tbody th { padding: 0 10px 0 6px; text-align: left; color: var(--muted); }
    .images td { padding: 4px 6px; vertical-align: top; }
    .cell { display: table; border-spacing: 0; margin: 0 auto; }
    .cell span {
      display: table-caption; caption-side: bottom; padding-top: 6px;
      font-size: 0.78rem; line-height: 1.3; text-align: center; overflow-wrap: anywhere;
    }
    .cell img {
      display: block; height: auto; width: calc(var(--width) * var(--wide)); max-width: 10rem;
      border-radius: 3px; image-rendering: pixelated; outline: 3px solid var(--line);
      background: var(--line);
    }
    .cell { padding: 3px 3px 0; }
    .right { color: var(--right); }
    .wrong { color: var(--wrong); }
    .right img { outline-color: var(--right); }
    .wrong img { outline-color: var(--wrong); }
    .missing { width: 5.25rem; margin: 0; color: var(--muted); font-size: 0.78rem; }
    .legend { margin: 0.6rem 0 0; }
    .legend span { margin-right: 1rem; }
    @media (max-width: 40rem) {
      body { padding: 1.5rem 1rem 3rem; }
      h1 { font-size: 1.5rem; }
      h2 { margin-top: 2.25rem; }
      .chart { padding: 0.9rem 0.8rem 0.7rem; }
      .canvas { height: 17rem; }
      .table th, .table td { padding: 0.4rem 0.6rem; }
      .images table { margin: 0; }
      .cell img { width: calc(var(--width) * var(--narrow)); }
      .cell span { font-size: 0.7rem; }
      .images td { padding: 2px; }
      .images th { padding: 0 3px 4px; font-size: 0.76rem; }
      .images tbody th { padding: 0 6px 0 0; }
    }
    @media print {
      body { max-width: none; padding: 0; font-size: 10.5pt; background: none; }
      nav { display: none; }
      h2, h3, .caption { break-after: avoid; }
      tr, pre, .cell, .facts div { break-inside: avoid; }
      .table th button::after { content: none; }
      .charts { display: block; }
      .charts > .chart { margin-bottom: 1rem; }
      pre { white-space: pre-wrap; overflow-wrap: anywhere; }
      .scroll { overflow: visible; }
      details:not([open]) { display: none; }
      * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
    }
    """
}
