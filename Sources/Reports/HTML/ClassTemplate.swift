/// What a model takes for what, of a `ClassSection`: the matrix or the most frequent pairs, then mistakes as pictures.
let classTemplate = #"""
    {{#hasMatrix}}
    <div class="wide">
    <table class="heat lost matrix">
      <thead><tr><th>Is, down; predicted, across</th>{{#matrixHeads}}<th>{{.}}</th>{{/matrixHeads}}</tr></thead>
      <tbody>
        {{#matrixRows}}
        <tr><th scope="row">{{matrixName}}</th>{{#matrixCells}}<td class="{{tenths}}">{{shaded}}</td>{{/matrixCells}}</tr>
        {{/matrixRows}}
      </tbody>
    </table>
    </div>
    {{/hasMatrix}}
    {{#hasPairs}}
    <div class="wide">
    <table>
      <thead><tr><th>Is</th><th class="text">Predicted</th><th>Samples</th><th>Of the class</th></tr></thead>
      <tbody>
        {{#pairs}}<tr><th scope="row">{{pairActual}}</th><td class="text">{{pairPredicted}}</td><td>{{pairCount}}</td><td>{{pairShare}}</td></tr>
        {{/pairs}}
      </tbody>
    </table>
    </div>
    {{/hasPairs}}
    {{#hasMistakes}}
    <h3>The mistakes it is surest of</h3>
    <div class="pictures">
      {{#mistakes}}
      <figure>{{#pictures}}<img src="{{.}}" alt="{{mistakeLabel}}, predicted {{mistakePredicted}}" />{{/pictures}}
      <figcaption>{{mistakePredicted}} <b>{{confidence}}</b><small>is {{mistakeLabel}} · sample {{mistakePlace}}</small></figcaption></figure>
      {{/mistakes}}
    </div>
    {{/hasMistakes}}

  """#
