/// Makes tables of the class `sortable` sort by a column when its head is touched: numbers with their units, times and
/// counts by what they are, texts by their letters; what is missing comes last. Part of every page, with a digest of its
/// own in the page's policy.
let tableScript = """

  (function () {
    "use strict";
    var units = { "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "µs": 1e-6, "ms": 1e-3, "s": 1, "k": 1e3, "M": 1e6, "G": 1e9 };
    function number(text) {
      var clock = /^([0-9]+):([0-9]{2})(?::([0-9]{2}))?$/.exec(text);
      if (clock) {
        return clock[3] ? 3600 * +clock[1] + 60 * +clock[2] + +clock[3] : 60 * +clock[1] + +clock[2];
      }
      var match = /^([-−+]?[0-9][0-9,]*(?:[.][0-9]+)?(?:e[-+]?[0-9]+)?) ?([%×µa-zA-Z]*)/.exec(text);
      if (!match) { return null; }
      return parseFloat(match[1].replace(/,/g, "").replace("−", "-")) * (units[match[2]] || 1);
    }
    function compare(a, b) {
      var x = number(a), y = number(b);
      if (x !== null && y !== null) { return x - y; }
      if (x !== null) { return -1; }
      return y !== null ? 1 : a < b ? -1 : a > b ? 1 : 0;
    }
    document.querySelectorAll("table.sortable").forEach(function (table) {
      var heads = table.querySelectorAll("thead th"), body = table.querySelector("tbody");
      heads.forEach(function (head, column) {
        head.tabIndex = 0;
        head.setAttribute("role", "button");
        function sort() {
          var falls = head.getAttribute("aria-sort") !== "descending";
          heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
          head.setAttribute("aria-sort", falls ? "descending" : "ascending");
          var rows = Array.prototype.map.call(body.rows, function (row, place) {
            return { row: row, place: place, text: row.cells[column].textContent.replace("●", "").trim() };
          });
          rows.sort(function (a, b) {
            var missing = (a.text === "–" || a.text === "") - (b.text === "–" || b.text === "");
            if (missing) { return missing; }
            var order = compare(a.text, b.text);
            return (falls ? -order : order) || a.place - b.place;
          });
          rows.forEach(function (entry) { body.appendChild(entry.row); });
        }
        head.addEventListener("click", sort);
        head.addEventListener("keydown", function (event) {
          if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); }
        });
      });
    });
  })();

  """
