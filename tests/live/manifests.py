"""The Kubernetes manifests: sound by Kubernetes' own schemas, and right about who may do what to which folder.

There is no kubelet here. What it does to a volume is done by hand, a root-only folder for a hostPath and a folder that
everybody may write to, given to the fsGroup, for an emptyDir; then the manifests' own commands run, as the users that
they name and with the capabilities that they keep, and a program of another user counts. Containers and images are not
tried.

Usage: python -m live.manifests
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

from rig.command import parse
from rig.exporter import Exporter
from rig.scratch import scratch

MANIFESTS = Path(__file__).resolve().parents[2] / "exporter" / "packaging" / "kubernetes"
VERSIONS = ["1.29", "1.35"]
"""The first that knows sidecars, and a late one."""
SPARK, WEB = 185, 64_930
"""The user of Spark's images, and one of some program's."""


def manifest(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((MANIFESTS / name).read_text())
    for version in VERSIONS:
        kubernetes_validate.validate(found, version, strict=True)
    return found


def named(containers: list[dict[str, Any]], name: str) -> dict[str, Any]:
    [container] = [container for container in containers if container["name"] == name]
    return container


def as_container(container: dict[str, Any], groups: list[int]) -> list[str]:
    """The beginning of a command line that has the user, the groups and the capabilities of a container."""
    context = container["securityContext"]
    assert context["capabilities"]["drop"] == ["ALL"]
    kept = "".join(f",+{name.lower()}" for name in context["capabilities"].get("add", []))
    become = ["setpriv", f"--reuid={context['runAsUser']}", f"--regid={context['runAsGroup']}"]
    groups_of = f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups"
    return [*become, groups_of, f"--bounding-set=-all{kept}", f"--inh-caps=-all{kept}", "--no-new-privs"]


def environment(container: dict[str, Any], mounted: str, folder: Path) -> dict[str, str]:
    """A container's environment, with paths below `mounted` moved to `folder`."""
    variables = {entry["name"]: entry["value"].replace(mounted, str(folder)) for entry in container["env"]}
    assert "TALLYBOARD_DIR" in variables
    return {**os.environ, **variables}


@contextmanager
def served(container: dict[str, Any], groups: list[int], mounted: str, folder: Path) -> Iterator[Exporter]:
    """The exporter, as the manifest starts it."""
    assert container["args"][0] == "serve"
    # The name is looked up, as the manifest's program does it, in the folder of its environment.
    program = ["env", *(f"{name}={value}" for name, value in environment(container, mounted, folder).items())]
    start = (*as_container(container, groups), *program, "tallyboard")
    with Exporter(Path("default"), folder.parent / "exporter.log") as exporter:
        exporter.start(*[argument for argument in container["args"][1:] if argument != "--board.create"], program=start)
        yield exporter


def counts(uid: int, groups: list[int], boards: Path, exporter: Exporter) -> None:
    become = ["setpriv", f"--reuid={uid}", f"--regid={uid}", f"--groups={','.join(map(str, groups))}"]
    command = [*become, "tallyboard", "inc", "pods_total"]
    subprocess.run(command, env={**os.environ, "TALLYBOARD_DIR": str(boards)}, check=True)
    assert parse(exporter.scrape())["pods_total", frozenset()] == 1


def daemonset(folder: Path) -> None:
    pod = manifest("daemonset.yaml")["spec"]["template"]["spec"]
    [volume] = pod["volumes"]
    mounted, boards = volume["hostPath"]["path"], folder / "host"
    boards.mkdir(mode=0o755)
    directory = named(pod["initContainers"], "directory")
    command = [word.replace(mounted, str(boards)) for word in directory["command"]]
    subprocess.run([*as_container(directory, []), *command], check=True)
    template = manifest("spark-executor.yaml")
    with served(named(pod["containers"], "exporter"), [], mounted, boards) as exporter:
        counts(SPARK, template["spec"]["securityContext"]["supplementalGroups"], boards, exporter)
    properties = dict(line.split() for line in spark_properties())
    volumes = "spark.kubernetes.executor.volumes.hostPath.tallyboard"
    assert properties[f"{volumes}.options.path"] == mounted
    assert properties[f"{volumes}.mount.path"] == properties["spark.executorEnv.TALLYBOARD_DIR"]
    print("DaemonSet: an executor in the group counts on the node's board, the exporter serves it", flush=True)


def spark_properties() -> list[str]:
    lines = (MANIFESTS / "spark-defaults.conf").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def sidecar(folder: Path) -> None:
    pod = manifest("sidecar.yaml")["spec"]
    group = pod["securityContext"]["fsGroup"]
    volume = folder / "empty"
    volume.mkdir()
    os.chown(volume, 0, group)
    volume.chmod(0o2777)
    directory = named(pod["initContainers"], "directory")
    [mount] = directory["volumeMounts"]
    command = [word.replace(mount["mountPath"], str(volume)) for word in directory["command"]]
    subprocess.run([*as_container(directory, [group]), *command], check=True)
    program = named(pod["containers"], "web")
    boards = Path(environment(program, mount["mountPath"], volume)["TALLYBOARD_DIR"])
    with served(named(pod["initContainers"], "tallyboard"), [group], mount["mountPath"], volume) as exporter:
        counts(WEB, [group], boards, exporter)
    print("sidecar: a program of another user, with the fsGroup, counts on the pod's board", flush=True)


def main() -> None:
    with scratch("manifests") as folder:
        folder.chmod(0o711)
        daemonset(folder)
        sidecar(folder)


if __name__ == "__main__":
    main()
