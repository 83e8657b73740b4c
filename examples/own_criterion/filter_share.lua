-- A weight's share of its filter's magnitude: |w| / mean|filter|.
-- Layers and filters with small weights keep their most important ones.
return plugin {
  kind    = "pruning",
  summary = "Zero the weights that are small beside the others of their filter.",
  options = { skip = { type = "patterns", default = {}, help = "layers left whole" } },
  scope   = "global",
  unit    = "weight",
  score   = function(layer)
    local shape   = layer.weight:shape()
    local filters = layer.weight:abs():reshape(shape[1], -1)
    return (filters / (filters:mean(2, true) + 1e-12)):reshape(shape)
  end,
}
