// Trains and quantizes a network of digits by a pipeline, or reads one from a file, and classifies a picture with it.
//
//   classify PICTURE.pgm               a binary PGM of 28x28 pixels
//   classify PICTURE.pgm MODEL         with a model that any tool has made: native, packed, ONNX, TFLite
import CompressEngine
import Foundation

func fail(_ text: String) -> Never {
  FileHandle.standardError.write(Data((text + "\n").utf8))
  exit(1)
}

/// Pixels from 0 to 1.
func picture(_ path: String, side: Int) -> [Float] {
  let header = Data("P5\n\(side) \(side)\n255\n".utf8)
  guard let data = FileManager.default.contents(atPath: path), data.starts(with: header),
    data.count == header.count + side * side
  else { fail("\(path): no binary PGM of \(side)x\(side) pixels") }
  return data.dropFirst(header.count).map { Float($0) / 255 }
}

let arguments = CommandLine.arguments.dropFirst()
guard (1...2).contains(arguments.count) else { fail("usage: classify PICTURE.pgm [MODEL]") }
do {
  let model: CompressModel
  if arguments.count == 2 {
    model = try CompressModel(contentsOf: arguments.last!)
  } else {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../../pipeline.lua")
    guard let int8 = try CompressPipeline(script: script.standardizedFileURL.path).run().last else {
      fail("the pipeline makes no model")
    }
    model = int8.model
  }
  guard model.inputShape == [28, 28, 1] else { fail("the model takes \(model.inputShape), not 28x28 grey pixels") }
  let session = try model.session(), scores = try session.run(picture(arguments.first!, side: 28))
  let best = scores.indices.max { scores[$0] < scores[$1] } ?? 0
  print(model.classes?[best] ?? "class \(best)")
} catch {
  fail("\(error)")
}
