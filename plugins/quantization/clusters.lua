-- Each weight becomes one of a few values shared by its layer, found by k-means (Han et al. 2016); activations stay
-- float32, and so does the arithmetic. Pruned weights stay zero. With 16 values a weight takes 4 bits of the file.
return plugin {
  kind    = "quantization",
  summary = "Weights share a few values per layer, found by k-means.",
  options = {
    clusters = { type = "integer", default = 16, min = 2, max = 256, help = "values of a layer, zero included" },
    skip     = { type = "patterns", default = {}, help = "layers left float32" },
  },
  assign = function(layer, o) return { weights = { type = "clusters", clusters = o.clusters } } end,
}
