-- Linear warm-up (Goyal et al. 2017) before another schedule, or before a constant: large batches and
-- fresh networks bear a high learning rate only after some steps.
--   learning_rate = use "warmup" { share = 0.05, next = use "cosine" { from = 0.1, to = 0 } }
-- Value: a straight line from `from` to the schedule's first value until t = share; then the schedule, whole.
return plugin {
  kind    = "schedule",
  summary = "Rises in a straight line to the first value of the schedule `next`, then follows it.",
  options = {
    next  = { type = "schedule", help = "what follows" },
    share  = { type = "ratio", default = 0.05, help = "share of the whole that the rise takes" },
    from   = { type = "number", default = 0, help = "value at the very beginning" },
  },
  at = function(t, o)
    if t < o.share then return o.from + (o.next(0) - o.from) * t / o.share end
    return o.next(o.share < 1 and (t - o.share) / (1 - o.share) or 1)
  end,
}
