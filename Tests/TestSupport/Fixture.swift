import Foundation

/// Where a file lies that another program made; the scripts beside it say how.
public func fixture(_ name: some StringProtocol) -> String {
  URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures/" + name
}
