-- The same factor in each stretch of the same length: a straight line on a logarithmic scale.
-- Value: from * (to / from)^t.
return plugin {
  kind    = "schedule",
  summary = "Goes from `from` to `to` by equal factors.",
  options = {
    from = { type = "number", min = 1e-300, help = "value at the beginning, above 0" },
    to   = { type = "number", min = 1e-300, help = "value at the end, above 0" },
  },
  at = function(t, o) return o.from * (o.to / o.from) ^ t end,
}
