"""Makes HDF5 files that ask for more than they hold: python hdf5.py, in the folder they are to lie in. Made with
h5py 3.16."""

import h5py
import numpy as np


def file(name):
    return h5py.File(f"hdf5-{name}.h5", "w", libver="earliest")


with file("plain") as f:
    f.attrs["text"] = "größer"
    f.attrs["fixed"] = np.array([b"a", b"bcd"])
    f.attrs["number"] = 3
    g = f.create_group("group")
    g.attrs["names"] = ["x", "", "y"]
    for kind in ["f2", "<f4", ">f4", "f8", "i1", "i2", ">i4", "i8", "u1", "u2", "u4", "u8"]:
        g[kind.replace("<", "l").replace(">", "b")] = np.array([[1, 2, 100]], dtype=kind)
    g["scalar"] = np.float32(0.5)
    g["empty"] = np.zeros((0, 3), dtype="f4")
    g["texts"] = np.array([b"no", b"number"])
    g.create_dataset("chunked", data=np.arange(12, dtype="f4").reshape(3, 4), chunks=(2, 2))

with file("external-link") as f:
    f["there"] = h5py.ExternalLink("/etc/passwd", "/x")
with file("soft-link") as f:
    f["there"] = h5py.SoftLink("/nowhere")
with file("circle") as f:
    f.create_group("a")["b"] = f["/"]
with file("filtered") as f:
    f.create_dataset("x", data=np.zeros(100000, dtype="f4"), compression="gzip")
with file("claim") as f:
    f.create_dataset("x", shape=(1000, 1000, 1000), dtype="f4", chunks=(10, 10, 10))
with file("never-written") as f:
    f.create_dataset("x", shape=(100,), dtype="f4")
with file("external") as f:
    f.create_dataset("x", shape=(4,), dtype="f4", external=[("/etc/passwd", 0, 16)])
with h5py.File("hdf5-virtual.h5", "w", libver="v110") as f:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(4,))
    f.create_virtual_dataset("x", layout)
with file("deep") as f:
    g = f
    for _ in range(40):
        g = g.create_group("g")
with file("many") as f:
    # Two names of one data set are more bytes than there are.
    f.create_dataset("x", data=np.zeros(4000, dtype="f4"))
    for i in range(8):
        f[f"x{i}"] = f["x"]
