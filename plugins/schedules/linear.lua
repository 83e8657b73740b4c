-- A straight line.
return plugin {
  kind    = "schedule",
  summary = "Goes from `from` to `to` in a straight line.",
  options = {
    from = { type = "number", default = 0, help = "value at the beginning" },
    to   = { type = "number", help = "value at the end" },
  },
  at = function(t, o) return o.from + (o.to - o.from) * t end,
}
