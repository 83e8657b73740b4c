/// A sweep's sections, in the frame that every page has.
let sweepTemplate = PageFrame.template(
  kicker: "sweep of {{title}}", sections: sweepSections,
  footer: """
    table.csv beside this page has every number.
    {{#hasCharts}}Charts are drawn by Chart.js {{frame.chartVersion}} (MIT licence), contained in this file.{{/hasCharts}}
    """)

private let sweepSections = #"""
  {{#hasCharts}}
  <section id="front">
    <h2>{{measureTitle}} against cost</h2>
    <div class="pair">
      <figure><figcaption>{{measureTitle}} against size after gzip</figcaption>
        <div class="plot"><canvas id="chart-gzip" role="img" aria-label="{{measureTitle}} against size of every model, by variant"></canvas></div></figure>
      <figure><figcaption>{{measureTitle}} against median latency</figcaption>
        <div class="plot"><canvas id="chart-median" role="img" aria-label="{{measureTitle}} against latency of every model, by variant"></canvas></div></figure>
      {{#hasMacs}}
      <figure><figcaption>{{measureTitle}} against multiply-accumulates</figcaption>
        <div class="plot"><canvas id="chart-macs" role="img" aria-label="{{measureTitle}} against multiply-accumulates of every model, by variant"></canvas></div></figure>
      {{/hasMacs}}
    </div>
    <p class="fine">The line joins the models that no other beats in both: the Pareto front. Upwards and to the left is
    better. A click on a dot opens its report; touch a name to hide or show it. {{note}}</p>
  </section>
  <section id="params">
    <h2>What leads where</h2>
    <figure><figcaption>Every model as a line through its params, size and {{measure}}</figcaption>
      <div class="plot tall"><canvas id="chart-params" role="img" aria-label="Parallel coordinates of all models"></canvas></div></figure>
    <p class="fine">Each upright axis runs from its least value at the bottom to its greatest at the top. Lines on the
    front are strong, the others faint.</p>
  </section>
  {{/hasCharts}}
  {{^hasCharts}}
  {{#hasResults}}
  <p class="notice">A table stands in for the charts: Chart.js is not installed here. Install the Debian or Ubuntu package
  <code>{{chartPackage}}</code> and run the sweep again with <code>--resume</code>; what was computed is kept.</p>
  {{/hasResults}}
  {{/hasCharts}}

  {{#hasFailures}}
  <section id="failures">
    <h2>Failed</h2>
    <ul class="findings">
      {{#failures}}
      <li class="bad">{{values}}: {{error}}</li>
      {{/failures}}
    </ul>
  </section>
  {{/hasFailures}}

  {{#hasSeeds}}
  <section id="seeds">
    <h2>Over seeds</h2>
    <div class="wide">
    <table class="cards sortable">
      <thead><tr><th class="text">Variant</th>{{#axes}}<th>{{.}}</th>{{/axes}}<th>Seeds</th><th>{{measureTitle}}</th>
      <th>Least to greatest</th>{{#hasMacs}}<th>MACs</th>{{/hasMacs}}<th>File, gzip</th><th>Median</th></tr></thead>
      <tbody>
        {{#settings}}
        <tr class="{{tone}}"><th class="text" scope="row"><span><i class="swatch {{series}}"></i>{{name}}
        <span class="mark">{{mark}}</span></span></th>
        {{#cells}}<td data-label="{{axis}}">{{value}}</td>{{/cells}}<td data-label="Seeds">{{seeds}}</td><td data-label="{{measureTitle}}">{{accuracy}}</td>
        <td data-label="Least to greatest">{{range}}</td>{{#hasMacs}}<td data-label="MACs">{{macs}}</td>{{/hasMacs}}
        <td data-label="File, gzip">{{gzip}}</td><td data-label="Median">{{median}}</td></tr>
        {{/settings}}
      </tbody>
    </table>
    </div>
    <p class="fine">Means over the seeds, {{measure}} with its standard deviation from seed to seed. ● marks settings whose means no
    other’s beat in {{measure}} and size at once: of single points the luckiest seed leads.</p>
  </section>
  {{/hasSeeds}}

  {{#hasResults}}
  <section id="points">
    <h2>All points</h2>
    <div class="wide">
    <table class="cards sortable">
      <thead><tr><th>Point</th>{{#axes}}<th>{{.}}</th>{{/axes}}<th>seed</th><th class="text">Variant</th><th>{{measureTitle}}</th>
      <th>Nonzero</th>{{#hasMacs}}<th>MACs</th>{{/hasMacs}}<th>File, gzip</th><th>Median</th></tr></thead>
      <tbody>
        {{#rows}}
        <tr class="{{tone}}"><th scope="row">{{#hasLink}}<a href="{{link}}">{{number}}</a>{{/hasLink}}{{^hasLink}}{{number}}{{/hasLink}}
        <span class="mark">{{mark}}</span></th>
        {{#cells}}<td data-label="{{axis}}">{{value}}</td>{{/cells}}<td data-label="seed">{{seed}}</td>
        <td class="text" data-label="Variant"><span><i class="swatch {{series}}"></i>{{name}}</span></td>
        <td data-label="{{measureTitle}}">{{accuracy}}</td><td data-label="Nonzero">{{nonzero}}</td>
        {{#hasMacs}}<td data-label="MACs">{{macs}}</td>{{/hasMacs}}<td data-label="File, gzip">{{gzip}}</td>
        <td data-label="Median">{{median}}</td></tr>
        {{/rows}}
      </tbody>
    </table>
    </div>
    <p class="fine">● marks what no other beats in {{measure}} and size at once. A point’s number leads to its report; a touch of a column’s head sorts by it.
    {{omitted}}</p>
    <p class="fine">{{setting}}</p>
  </section>
  {{/hasResults}}

  """#
