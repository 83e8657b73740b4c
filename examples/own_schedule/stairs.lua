-- Sparsity climbs a staircase: a step up, then a rest in which the network recovers.
-- Value: to * (steps that t has reached) / steps.
return plugin {
  kind    = "schedule",
  summary = "Climbs to `to` in equal steps, with a rest on each.",
  options = {
    to    = { type = "ratio", help = "value at the end" },
    steps = { type = "integer", default = 4, min = 1, help = "steps of the staircase, the first at the very beginning" },
  },
  at = function(t, o) return o.to * math.min(o.steps, math.floor(t * o.steps) + 1) / o.steps end,
}
