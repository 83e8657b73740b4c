import Diagnostics
import Network
import Tensors

/// A record of a CIFAR file: labels of one byte each, then 1024 bytes of red, green and blue, row by row.
struct CIFARLayout: Hashable {
  /// 1 in CIFAR-10; 2 in CIFAR-100, the coarse label before the fine one.
  let labelBytes: Int
  /// Which of them is the class.
  let label: Int
  let classCount: Int

  static let pixels = 32 * 32
  var recordSize: Int { labelBytes + 3 * Self.pixels }
}

/// Images and labels from CIFAR's binary files, gzipped or not; they stay bytes until a batch of them is read.
final class CIFARDataset: Dataset {
  let name: String
  let sampleShape: Shape = [32, 32, 3]
  let count: Int
  let classCount: Int
  let classNames: [String]?
  var preprocessing: Preprocessing? { Preprocessing(pictures: sampleShape) }
  let identity: DatasetIdentity

  private let layout: CIFARLayout
  private let files: [RecordFile]
  /// Number of each file's first sample.
  private let starts: [Int]

  /// - Throws: `CompressError`, with the file, when one is missing or no whole number of records.
  init(
    name: String, files paths: [String], layout: CIFARLayout, classNames: [String]? = nil,
    memory: DataMemory = DataMemory()
  ) throws {
    self.name = name
    self.layout = layout
    self.classNames = classNames
    files = try paths.map { try RecordFile($0, recordSize: layout.recordSize, memory: memory) }
    var starts: [Int] = [], count = 0
    for file in files {
      starts.append(count)
      count += file.count
    }
    self.starts = starts
    self.count = count
    classCount = layout.classCount
    identity = DatasetIdentity(
      .files(paths, format: "cifar, label \(layout.label + 1) of \(layout.labelBytes), \(layout.classCount) classes"))
  }

  func read(
    _ indices: [Int], images: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>
  ) throws {
    let size = sampleShape.count
    precondition(images.count >= indices.count * size && labels.count >= indices.count, "buffers too small")
    for (k, index) in indices.enumerated() {
      let number = starts.lastIndex { $0 <= index }!, file = files[number]
      labels[k] = try file.withRecord(index - starts[number]) { record in
        let label = record[layout.label]
        guard label < layout.classCount else {
          throw LabelRange.error(
            label: "\(label)", sample: index - starts[number], of: "record", classes: layout.classCount)
        }
        interleave(record, to: images.baseAddress! + k * size)
        return Int32(label)
      }
    }
  }

  /// Three planes of bytes as pixels from 0 to 1.
  private func interleave(_ record: UnsafeBufferPointer<UInt8>, to out: UnsafeMutablePointer<Float>) {
    let red = record.baseAddress! + layout.labelBytes, green = red + CIFARLayout.pixels
    let blue = green + CIFARLayout.pixels
    for i in 0..<CIFARLayout.pixels {
      out[3 * i] = Float(red[i]) / 255
      out[3 * i + 1] = Float(green[i]) / 255
      out[3 * i + 2] = Float(blue[i]) / 255
    }
  }
}
