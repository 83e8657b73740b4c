-- Half a cosine (Loshchilov and Hutter 2017, without restarts): slow, fast, slow. As a learning rate
-- it usually runs from the peak to zero.
-- Value: to + (from - to) * (1 + cos(pi * t)) / 2.
return plugin {
  kind    = "schedule",
  summary = "Goes from `from` to `to` along half a cosine.",
  options = {
    from = { type = "number", default = 0, help = "value at the beginning" },
    to   = { type = "number", help = "value at the end" },
  },
  at = function(t, o) return o.to + (o.from - o.to) * (1 + math.cos(math.pi * t)) / 2 end,
}
