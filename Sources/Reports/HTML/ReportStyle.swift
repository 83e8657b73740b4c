/// The page's style sheet. Series colours follow Okabe and Ito's palette, which people with any of the common kinds
/// of colour blindness can tell apart, shaded for contrast on a light and on a dark ground.
let reportStyle = """

  :root {
    --ground: #fcfcfb; --raised: #ffffff; --ink: #1b1f24; --soft: #5b6570; --line: #e3e5e8; --grid: #eceef0;
    --good: #00715a; --bad: #b23a00; --accent: #005f9e;
    --gone: #7db8de; --lost: #f0935a;
    --s0: #59636e; --s1: #0072b2; --s2: #d55e00; --s3: #009e73; --s4: #b5588f; --s5: #c98a00; --s6: #3fa0d8; --s7: #7a5c3e;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --ground: #14171a; --raised: #1b1f23; --ink: #e8eaed; --soft: #9ba5b0; --line: #2d3339; --grid: #262b30;
      --good: #35c79d; --bad: #ff8f5a; --accent: #6cb8f0;
      --gone: #1f6a9c; --lost: #a34a12;
      --s0: #aab4be; --s1: #4aa8e8; --s2: #f58442; --s3: #27c08f; --s4: #dd8bbb; --s5: #eab03a; --s6: #8fd0f5; --s7: #bd9a75;
    }
  }
  * { box-sizing: border-box; }
  html { -webkit-text-size-adjust: 100%; }
  body {
    margin: 0 auto; max-width: 78rem; padding: 2.5rem 1.5rem 3rem; background: var(--ground); color: var(--ink);
    font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif;
    font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
  }
  .kicker { margin: 0; color: var(--soft); font-size: 0.85rem; letter-spacing: 0.02em; }
  h1 { margin: 0.3rem 0 0.6rem; font-size: clamp(1.5rem, 4.2vw, 2.3rem); line-height: 1.18; letter-spacing: -0.015em; text-wrap: balance; }
  h2 { margin: 3rem 0 0.9rem; font-size: 1.25rem; letter-spacing: -0.005em; }
  h3 { margin: 1.8rem 0 0.5rem; font-size: 0.95rem; }
  .lead { margin: 0 0 1.4rem; max-width: 48rem; color: var(--soft); font-size: 1.05rem; }
  .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: 0.8rem; }
  .tile { display: flex; flex-direction: column; padding: 0.9rem 1.1rem; border: 1px solid var(--line); border-radius: 10px; background: var(--raised); }
  .tile b { font-size: 1.55rem; line-height: 1.35; font-weight: 650; letter-spacing: -0.01em; }
  .caption, .tile small { color: var(--soft); font-size: 0.82rem; }
  .notice { margin: 1.5rem 0 0; padding: 0.8rem 1.1rem; border: 1px solid var(--line); border-left: 4px solid var(--accent); border-radius: 6px; background: var(--raised); }
  .fine { margin: 0.7rem 0 0; max-width: 60rem; color: var(--soft); font-size: 0.8rem; line-height: 1.5; }
  .wide { overflow-x: auto; }
  table { width: 100%; border-collapse: collapse; font-size: 0.88rem; overflow-wrap: normal; }
  th, td { padding: 0.5rem 0.5rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; white-space: nowrap; }
  thead th { color: var(--soft); font-weight: 500; font-size: 0.8rem; vertical-align: bottom; white-space: normal; }
  th:first-child { padding-left: 0; text-align: left; }
  tbody th { font-weight: 600; white-space: normal; min-width: 6.5rem; max-width: 16rem; overflow-wrap: anywhere; }
  th.text, td.text { text-align: left; }
  td small { display: block; color: var(--soft); font-size: 0.74rem; white-space: normal; }
  .whole { white-space: nowrap; }
  th small, summary small, li small { color: var(--soft); font-weight: 400; }
  .good { color: var(--good); } .bad { color: var(--bad); }
  .swatch { display: inline-block; width: 0.62rem; height: 0.62rem; margin-right: 0.5rem; border-radius: 2px; vertical-align: baseline; }
  .s0 { background: var(--s0); } .s1 { background: var(--s1); } .s2 { background: var(--s2); } .s3 { background: var(--s3); }
  .s4 { background: var(--s4); } .s5 { background: var(--s5); } .s6 { background: var(--s6); } .s7 { background: var(--s7); }
  .low { height: 16rem; }
  .heat td { border-bottom-color: var(--ground); }
  .gone td { background: color-mix(in srgb, var(--gone) var(--share, 0%), transparent); }
  .lost td { background: color-mix(in srgb, var(--lost) var(--share, 0%), transparent); }
  .t1 { --share: 9%; } .t2 { --share: 18%; } .t3 { --share: 27%; } .t4 { --share: 36%; } .t5 { --share: 45%; }
  .t6 { --share: 54%; } .t7 { --share: 63%; } .t8 { --share: 72%; } .t9 { --share: 81%; } .t10 { --share: 90%; }
  .matrix { width: auto; } .matrix td, .matrix th { padding: 0.3rem 0.4rem; min-width: 3.2rem; }
  .sortable thead th { cursor: pointer; } .sortable thead th:hover { color: var(--ink); }
  .sortable th[aria-sort="descending"]::after { content: " ↓"; } .sortable th[aria-sort="ascending"]::after { content: " ↑"; }
  .pictures { display: flex; flex-wrap: wrap; gap: 1rem; }
  .pictures figure { width: 7rem; } .pictures small { display: block; color: var(--soft); font-weight: 400; }
  .pictures img { width: 7rem; image-rendering: pixelated; border-radius: 6px; }
  .pictures figcaption { margin: 0.3rem 0 0; font-weight: 400; font-size: 0.82rem; }
  .findings { margin: 0; padding: 0; list-style: none; max-width: 60rem; }
  .findings li { max-width: 54rem; margin: 0 0 0.55rem; padding: 0.1rem 0 0.1rem 0.9rem; border-left: 3px solid var(--line); color: inherit; }
  .findings li.bad { border-left-color: var(--bad); } .findings li.note { border-left-color: var(--accent); }
  .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1.6rem; }
  figure { margin: 0; min-width: 0; }
  figcaption { margin-bottom: 0.5rem; font-weight: 600; font-size: 0.9rem; }
  .plot { position: relative; height: 21rem; }
  .fine + details { margin-top: 0.8rem; }
  details { border-bottom: 1px solid var(--line); }
  summary { padding: 0.55rem 0; cursor: pointer; }
  details[open] { padding-bottom: 1rem; }
  ol { margin: 0.2rem 0; padding-left: 1.6rem; } li { margin: 0.25rem 0; }
  pre { margin: 0.5rem 0 1.2rem; padding: 0.9rem 1.1rem; border: 1px solid var(--line); border-radius: 8px; background: var(--raised); overflow-x: auto; overflow-wrap: normal; }
  code { font: 0.86em/1.5 ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; }
  dl { margin: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); gap: 0.7rem 2rem; }
  dt { color: var(--soft); font-size: 0.8rem; } dd { margin: 0; }
  footer { margin-top: 3rem; border-top: 1px solid var(--line); }
  @media (max-width: 46rem) {
    body { padding: 1.4rem 1rem 2rem; }
    h2 { margin-top: 2.3rem; }
    .tiles { grid-template-columns: 1fr 1fr; gap: 0.6rem; }
    .tile { padding: 0.7rem 0.8rem; } .tile b { font-size: 1.2rem; }
    .plot { height: 18rem; }
    table.cards thead { display: none; }
    table.cards, table.cards tbody, table.cards tr, table.cards th, table.cards td { display: block; width: 100%; max-width: none; }
    table.cards tr { padding: 0.8rem 0; border-bottom: 1px solid var(--line); }
    table.cards th, table.cards td { padding: 0.16rem 0; border: 0; }
    table.cards td { display: flex; justify-content: space-between; gap: 1rem; text-align: right; }
    table.cards td::before { content: attr(data-label); color: var(--soft); font-size: 0.82rem; text-align: left; white-space: normal; }
    table.cards td.blank { display: none; }
    td small { display: inline; margin-left: 0.5rem; }
  }
  @media print { body { max-width: none; } details, figure, tr { break-inside: avoid; } }

  """
