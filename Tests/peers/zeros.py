"""Whether zeros save time, and never cost any: networks of the zoo with more and more zeros, beside themselves without.

Each layer but the first and the last loses the same share of its weights (`compress bench --sparsity`), of int8 in blocks of
1x4. The runs of a network take turns, so that what the machine does meanwhile hits all alike; of each the least median of
the rounds. Ends with status 1 where zeros make a network slower by more than a twentieth. Nothing else should compute
meanwhile.

    make bench-zeros NETWORKS=resnet50,mobilenet_v2
"""

import argparse
import json
import subprocess
import sys


def median(options, network, precision, sparsity):
    command = [options.program, "bench", f"zoo:{network}", "--precision", precision, "--threads", str(options.threads), "--json"]
    # The same way to a network without zeros: what a process did before decides on which pages its weights lie.
    command += ["--sparsity", str(sparsity)] + (["--block", "1x4"] if precision == "int8" else [])
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")
    return json.loads(done.stdout)["p50_ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=".build/release/compress")
    parser.add_argument("--networks", default="resnet18_cifar,vgg16_bn_cifar,resnet50,mobilenet_v2")
    parser.add_argument("--precisions", default="fp32,int8")
    parser.add_argument("--sparsities", default="0.1,0.3,0.5,0.6,0.7,0.8,0.9,0.95,0.99")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    shares = [float(s) for s in options.sparsities.split(",")]
    print(f"{'dense over sparse':<24}{'dense':>10}" + "".join(f"{s:>8.0%}" for s in shares))
    slower = []
    for network in options.networks.split(","):
        for precision in options.precisions.split(","):
            times = {share: [] for share in [0.0] + shares}
            for _ in range(options.rounds):
                for share in times:
                    times[share].append(median(options, network, precision, share))
            best = {share: min(values) for share, values in times.items()}
            print(f"{network + ' ' + precision:<24}{best[0.0]:>7.3g} ms" + "".join(f"{best[0.0] / best[s]:>8.2f}" for s in shares),
                  flush=True)
            slower += [f"{network} {precision} at {s:.0%} zeros: {best[s] / best[0.0]:.2f} times the time"
                       for s in shares if best[s] > 1.05 * best[0.0]]
    for line in slower:
        print(f"SLOWER: {line}")
    sys.exit(1 if slower else 0)


if __name__ == "__main__":
    main()
