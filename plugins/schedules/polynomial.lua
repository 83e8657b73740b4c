-- Zhu and Gupta 2017: fast at first, while much is redundant, then ever more slowly. With power 3 it
-- is the "automated gradual pruning" (AGP) of the literature.
-- Value: to + (from - to) * (1 - t)^power.
return plugin {
  kind    = "schedule",
  summary = "Goes from `from` to `to` along a polynomial, fast first.",
  options = {
    from  = { type = "number", default = 0, help = "value at the beginning" },
    to    = { type = "number", help = "value at the end" },
    power = { type = "number", default = 3, min = 0, help = "1 is a straight line" },
  },
  at = function(t, o) return o.to + (o.from - o.to) * (1 - t) ^ o.power end,
}
