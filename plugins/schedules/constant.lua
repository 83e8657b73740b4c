-- The same value from beginning to end.
return plugin {
  kind    = "schedule",
  summary = "Stays at `value`.",
  options = {
    value = { type = "number", help = "the value" },
  },
  at = function(t, o) return o.value end,
}
