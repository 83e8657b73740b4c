/// A run's sections, in the frame that every page has.
let reportTemplate = PageFrame.template(
  kicker: "{{title}}", sections: reportSections,
  footer: """
    All numbers, every single latency included, are in results.json beside this file.
    {{#hasCharts}}Charts are drawn by Chart.js {{frame.chartVersion}} (MIT licence), contained in this file.{{/hasCharts}}
    """)

private let reportSections = #"""
  {{^hasCharts}}
  <p class="notice">Tables stand in for the charts: Chart.js is not installed here. Install the Debian or Ubuntu package
  <code>{{chartPackage}}</code> and run the pipeline again; what was computed is kept.</p>
  {{/hasCharts}}

  <section id="comparison">
    <h2>Comparison</h2>
    <div class="wide">
    <table class="cards">
      <thead><tr>
        <th>Variant</th><th>{{measure}}</th>{{#hasPoints}}<th>Difference, points</th>{{/hasPoints}}{{#hasDifferences}}<th>Flips</th>{{/hasDifferences}}
        <th>Nonzero</th>{{#hasMacs}}<th>MACs</th>{{/hasMacs}}<th>File, gzip</th>
        <th>Median</th>{{#hasDifferences}}<th>Faster, median</th>{{/hasDifferences}}<th>p99</th><th>Slow runs</th><th>Memory</th>
      </tr></thead>
      <tbody>
        {{#variants}}
        <tr>
          <th scope="row"><i class="swatch {{series}}"></i>{{name}}</th>
          <td data-label="{{measure}}"><span>{{accuracy}}<small>{{accuracyRange.start}}<span class="whole">{{accuracyRange.end}}</span></small><small>{{cosine}}</small><small class="bad">{{undefined}}</small></span></td>
          {{#hasPoints}}<td class="{{blank}}" data-label="Difference, points"><span class="{{differenceTone}}">{{difference}}<small>{{differenceRange}}</small></span></td>{{/hasPoints}}
          {{#hasDifferences}}
          <td class="{{blank}}" data-label="Flips"><span>{{flips}}<small>{{flipCount}}</small></span></td>
          {{/hasDifferences}}
          <td data-label="Nonzero"><span>{{nonzero}}<small>{{nonzeroShare}}</small></span></td>
          {{#hasMacs}}<td data-label="MACs"><span>{{macs}}<small>{{macsShare}}</small></span></td>{{/hasMacs}}
          <td data-label="File, gzip"><span>{{gzip}}<small>{{native.start}}<span class="whole">{{native.end}}</span> plain</small><small>{{packed}}</small>{{#hasDifferences}}<small class="{{smallerTone}}">{{smaller}}</small>{{/hasDifferences}}</span></td>
          <td data-label="Median"><span>{{median}}<small>{{medianRange.start}}<span class="whole">{{medianRange.end}}</span></small></span></td>
          {{#hasDifferences}}<td class="{{blank}}" data-label="Faster, median"><span class="{{fasterTone}}">{{fasterMedian}}<small>{{fasterMedianRange}}</small></span></td>{{/hasDifferences}}
          <td data-label="p99"><span>{{tail}}</span></td>
          <td data-label="Slow runs"><span>{{slow}}<small>slowest {{slowest}}</small></span></td>
          <td data-label="Memory"><span>{{memory}}</span></td>
        </tr>
        {{/variants}}
      </tbody>
    </table>
    </div>
    <p class="fine">{{setting}}</p>
    <p class="fine">{{#hasDifferences}}Differences are against “{{firstName}}”. {{/hasDifferences}}Small print under {{measureText}} and times is the 95 % interval:
    of {{measureText}}, Wilson’s; of its difference, Agresti and Min’s for the same samples predicted twice; of times,
    Student’s over the turns’ medians, of ratios turn by turn. Green and red mark differences whose interval excludes none,
    and files that are smaller or larger. Nonzero counts weights, not biases. Slow
    runs took more than two medians: a median passes over them, a mean would be theirs. {{timeNotes}} Another hour on this
    machine may differ by more.</p>
  </section>

  {{#hasFindings}}
  <section id="findings">
    <h2>Worth knowing</h2>
    <ul class="findings">
      {{#findings}}
      <li class="{{tone}}">{{sentence}}</li>
      {{/findings}}
    </ul>
  </section>
  {{/hasFindings}}

  {{#hasCharts}}
  <section id="latency">
    <h2>Latency</h2>
    <div class="pair">
      <figure><figcaption>Every image, in the order it was timed</figcaption>
        <div class="plot"><canvas id="chart-runs" role="img" aria-label="Latency of every timed image, by variant"></canvas></div>
        <p class="fine">{{drawn}} Touch a name to hide or show it.</p></figure>
      <figure><figcaption>Share of images that took no longer</figcaption>
        <div class="plot"><canvas id="chart-distribution" role="img" aria-label="Cumulative distribution of latency, by variant"></canvas></div>
        <p class="fine">Further left is faster, steeper is steadier. {{distribution}}</p></figure>
    </div>
  </section>
  {{/hasCharts}}

  {{#hasClasses}}
  <section id="classes">
    <h2>Classes</h2>
    <div class="wide">
    <table class="cards">
      {{#classMatrix}}
      <thead><tr><th>Class</th><th>Samples</th>{{#classHeads}}<th><i class="swatch {{classSeries}}"></i>{{classHead}}</th>{{/classHeads}}</tr></thead>
      <tbody>
        {{#classRows}}
        <tr><th scope="row">{{className}}</th><td data-label="Samples"><span>{{classSamples}}</span></td>
        {{#classCells}}<td data-label="{{classOwner}}"><span>{{classAccuracy}}<small>{{classChange}}</small></span></td>{{/classCells}}</tr>
        {{/classRows}}
      </tbody>
      {{/classMatrix}}
    </table>
    </div>
    <p class="fine">The share of a class’s samples that is predicted right, and how many points that is away from the first
    variant. {{classNote}}</p>
    {{#classSections}}
    <details>
      <summary><i class="swatch {{classesSeries}}"></i>{{classesOwner}}: what it takes for what</summary>

  """# + classTemplate + #"""
    </details>
    {{/classSections}}
  </section>
  {{/hasClasses}}

  {{#hasLayers}}
  <section id="layers">
    <h2>Layers</h2>
    {{#hasCharts}}
    <div class="pair">
      <figure><figcaption>Stored bytes</figcaption>
        <div class="plot"><canvas id="chart-bytes" role="img" aria-label="Stored bytes of each layer, by variant"></canvas></div></figure>
      <figure><figcaption>Weights that are not zero</figcaption>
        <div class="plot"><canvas id="chart-nonzero" role="img" aria-label="Share of nonzero weights of each layer, by variant"></canvas></div></figure>
    </div>
    {{/hasCharts}}
    <h3>Sparsity, type and size</h3>
    <div class="wide">
    <table class="cards">
      {{#layerMatrix}}
      <thead><tr><th>Layer</th>{{#heads}}<th><i class="swatch {{headSeries}}"></i>{{head}}</th>{{/heads}}</tr></thead>
      <tbody>
        {{#rows}}
        <tr><th scope="row">{{layer}} <small>{{layerKind}}</small></th>
        {{#cells}}<td data-label="{{owner}}"><span>{{sparsity}}<small>{{stored}} · {{size}}</small></span></td>{{/cells}}</tr>
        {{/rows}}
      </tbody>
      {{/layerMatrix}}
    </table>
    </div>
    <p class="fine">The large number is the share of the layer’s weights that are zero; biases, which are never pruned, are told
    apart in the tables below. Bytes are before gzip.</p>
    {{#layerTables}}
    <details>
      <summary><i class="swatch {{ownerSeries}}"></i>{{owner}}, layer by layer</summary>
      <div class="wide">
      <table>
        <thead><tr><th>Layer</th><th class="text">Kind</th><th>Parameters</th><th>Zero weights</th><th>Zero biases</th><th class="text">Stored as</th><th>Bytes</th><th>MACs</th>
        <th class="text">Computed in</th><th class="text">Its zeros are</th></tr></thead>
        <tbody>
          {{#layers}}
          <tr><th scope="row">{{layer}}</th><td class="text">{{layerKind}}</td><td>{{parameters}}</td><td>{{sparsity}}</td><td>{{biasSparsity}}</td>
          <td class="text">{{stored}}</td><td>{{size}}</td><td>{{macs}}</td><td class="text">{{arithmetic}}</td><td class="text">{{zeros}}</td></tr>
          {{/layers}}
        </tbody>
      </table>
      </div>
      <p class="fine">A dash: no step of its own, because it is part of its neighbour’s or moves no data.</p>
    </details>
    {{/layerTables}}
  </section>
  {{/hasLayers}}

  {{#hasCourses}}
  <section id="pruning">
    <h2>Pruning, round by round</h2>
    {{#courses}}
    <h3>{{courseName}}</h3>
    {{#hasCharts}}{{#courseCharts}}
    <div class="pair">
      <figure><figcaption>{{measure}} after each round</figcaption>
        <div class="plot low"><canvas id="{{accuracyChart}}" role="img" aria-label="{{measure}} after each round of pruning"></canvas></div></figure>
      <figure><figcaption>What is left of the network it began with</figcaption>
        <div class="plot low"><canvas id="{{leftChart}}" role="img" aria-label="Parameters, nonzero weights, filters, MACs and bytes after each round, in percent of the start"></canvas></div></figure>
    </div>
    {{/courseCharts}}{{/hasCharts}}
    <div class="wide">
    <table class="cards">
      <thead><tr><th>Round</th><th>{{measure}}</th><th>Parameters</th><th>Nonzero</th><th>Filters</th><th>MACs</th><th>Bytes</th></tr></thead>
      <tbody>
        {{#courseRounds}}
        <tr><th scope="row">{{round}}</th><td data-label="{{measure}}"><span>{{roundAccuracy}}<small>{{roundChange}}</small></span></td>
        {{#counts}}<td data-label="{{countTitle}}"><span>{{count}}<small>{{countShare}}</small></span></td>{{/counts}}</tr>
        {{/courseRounds}}
      </tbody>
    </table>
    </div>
    {{#metrics}}
    <details>
      <summary>{{metric}}, layer by layer <small>{{courseName}}</small></summary>
      <div class="wide">
      <table class="heat gone">
        <thead><tr><th>Layer</th>{{#roundHeads}}<th>{{.}}</th>{{/roundHeads}}</tr></thead>
        <tbody>
          {{#metricRows}}
          <tr><th scope="row">{{layerName}}</th>{{#metricCells}}<td class="{{tenths}}">{{shaded}}</td>{{/metricCells}}</tr>
          {{/metricRows}}
        </tbody>
      </table>
      </div>
    </details>
    {{/metrics}}
    {{/courses}}
    <p class="fine">A round is a removal with the training after it. Filters are the output channels of convolutions and dense
    layers; nonzero counts weights, not biases; bytes are those of the native file, in the layers’ tables of the parameters as stored. The stronger the colour,
    the more of a layer is gone.</p>
  </section>
  {{/hasCourses}}

  {{#hasScans}}
  <section id="sensitivity">
    <h2>Sensitivity of the layers</h2>
    {{#scans}}
    <h3>{{scanName}}</h3>
    <div class="wide">
    <table class="heat lost">
      <thead><tr><th>Pruned alone</th>{{#scanShares}}<th>{{.}}</th>{{/scanShares}}<th>Importance, {{scanLossUnit}}</th></tr></thead>
      <tbody>
        {{#scanRows}}
        <tr><th scope="row">{{part}}</th>{{#scanCells}}<td class="{{tenths}}">{{shaded}}</td>{{/scanCells}}<td>{{importance}}</td></tr>
        {{/scanRows}}
      </tbody>
    </table>
    </div>
    <p class="fine">{{scanMeasure}} with so much of one part gone and all others whole, on the samples of the scan; {{scanBaseline}} with
    nothing gone. The stronger the colour, the more is lost. Importance is what is lost in the mean over the columns.</p>
    {{/scans}}
  </section>
  {{/hasScans}}

  {{#hasTraining}}
  <section id="training">
    <h2>Training</h2>
    {{#hasCharts}}
    <div class="pair">
      <figure><figcaption>Loss, by epoch; dotted: validation</figcaption>
        <div class="plot"><canvas id="chart-loss" role="img" aria-label="Training loss by epoch"></canvas></div></figure>
      <figure><figcaption>Accuracy while training, by epoch; dotted: validation</figcaption>
        <div class="plot"><canvas id="chart-training-accuracy" role="img" aria-label="Training accuracy by epoch"></canvas></div></figure>
      <figure><figcaption>Learning rate at the end of each epoch</figcaption>
        <div class="plot"><canvas id="chart-learning-rate" role="img" aria-label="Learning rate by epoch"></canvas></div></figure>
    </div>
    {{/hasCharts}}
    {{#curves}}
    <details>
      <summary>{{stage}} <small>in {{usedBy}}</small></summary>
      <div class="wide">
      <table>
        <thead><tr><th>Epoch</th><th>Loss</th><th>Accuracy</th>{{#hasValidation}}<th>Validation loss</th><th>Validation accuracy</th>{{/hasValidation}}<th>Learning rate at its end</th><th>Images/s</th></tr></thead>
        <tbody>
          {{#epochs}}
          <tr><th scope="row">{{epoch}}</th><td>{{loss}}</td><td>{{epochAccuracy}}</td>{{#validation}}<td>{{validationLoss}}</td><td>{{validationAccuracy}}</td>{{/validation}}<td>{{rate}}</td><td>{{speed}}</td></tr>
          {{/epochs}}
        </tbody>
      </table>
      </div>
    </details>
    {{/curves}}
    <p class="fine">Loss and accuracy are over the training samples, each measured before the step it took part in.</p>
  </section>
  {{/hasTraining}}

  <section id="making">
    <h2>How each variant was made</h2>
    {{#histories}}
    <details>
      <summary><i class="swatch {{madeSeries}}"></i>{{made}}</summary>
      <ol>
        {{#steps}}
        <li>{{label}} <small>{{time}} · stage {{key}}</small>
        {{#remarks}}<br /><small>{{.}}</small>{{/remarks}}</li>
        {{/steps}}
      </ol>
    </details>
    {{/histories}}
  </section>

  <section id="run">
    <h2>What was run</h2>
    {{#hasCommand}}
    <p>To repeat it:</p>
    <pre><code>{{command}}</code></pre>
    {{/hasCommand}}
    <dl>
      {{#facts}}
      <div><dt>{{key}}</dt><dd>{{value}}</dd></div>
      {{/facts}}
    </dl>
    {{#hasParams}}
    <h3>Parameters of the script</h3>
    <dl>
      {{#params}}
      <div><dt>{{key}}</dt><dd>{{value}}</dd></div>
      {{/params}}
    </dl>
    {{/hasParams}}
  </section>

  """#
