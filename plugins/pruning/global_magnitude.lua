-- Global magnitude pruning: one threshold for the whole network, so layers with many small weights
-- give up more than the others (Han et al. 2015, "Learning both weights and connections").
-- Score: |w|.
return plugin {
  kind    = "pruning",
  summary = "Zero the weights of least magnitude, ranked across all layers together.",
  options = {
    skip = { type = "patterns", default = {}, help = "layers left whole" },
  },
  scope = "global",
  unit  = "weight",
  score = function(layer) return layer.weight:abs() end,
}
