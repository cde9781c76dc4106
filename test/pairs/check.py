"""One pair under one combination: the links, the runs, and everything that must hold between them."""

import os
import shlex
import shutil
import threading

from build import Failure, execute, firstLine, linkLine
from image import Image


class References:
    """What stock lld's image of the same inputs prints. It must not depend on compiler or options, else the pair is a bad one."""

    def __init__(self, objects, stockLd, work):
        self.objects, self.stockLd, self.work = objects, stockLd, work
        self.known, self.agreed, self.lock, self.count = {}, {}, threading.Lock(), 0

    def of(self, pair, app, version, c, inputs):
        """`inputs`: (application's objects, libraries)."""
        key = (pair.name, app.name, version, *(v for axis, v in c.items() if axis != "trampolines"))
        with self.lock:
            if key in self.known:
                return self.known[key]
            self.count += 1
            out = self.work / f"stock-{self.count}"
        argv = [self.stockLd, *linkLine(pair, app, version, c, *inputs, out)]
        status, _, errors = execute(argv)
        if status != 0:
            raise Failure(f"the stock linker refuses v{version}: {firstLine(errors)}")
        status, output, _ = execute([out], timeout=20)
        out.unlink()
        if status != 0 or not output:
            raise Failure(f"the stock image of {app.stem} v{version} ends with {status}, prints {len(output)} bytes")
        with self.lock:
            self.known[key] = output
            agreed = self.agreed.setdefault((pair.name, app.name, version), output)
        if agreed != output:
            raise Failure(f"stock {app.stem} v{version}, against other options: {difference(0, output, agreed)}")
        return output


class Check:
    def __init__(self, pair, combination, objects, references, tools, folder):
        self.pair, self.c, self.folder, self.tools = pair, combination, folder, tools
        self.objects, self.references = objects, references
        self.commands, self.libraries, self.applications = [], {}, {}
        self.sharing = self.links = 0
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def prepare(self):
        pair, c = self.pair, self.c
        other = pair.other()
        for version in pair.versions:
            folder = self.folder / f"v{version}"
            members = self.objects.libraryObjects(pair, pair.library(version), version, c)
            self.libraries[version] = [self.objects.bundle("pair", members, c["inputs"], folder)]
            if other:
                members = self.objects.libraryObjects(pair, other, version, c)
                self.libraries[version].append(self.objects.bundle("other", members, c["inputs"], folder))
            for app in pair.apps:
                self.applications[app, version] = self.objects.application(pair, app, version, c)
        for earlier, later in zip(pair.versions, pair.versions[1:]):
            if not pair.same_output and all(self.expected(a, earlier) == self.expected(a, later) for a in pair.apps):
                raise Failure(f"the stock images of v{earlier} and v{later} print the same: this pair shows nothing")

    def expected(self, app, version):
        return self.references.of(self.pair, app, version, self.c,
                                  (self.applications[app, version], self.libraries[version]))

    def execute(self, argv):
        self.commands.append(shlex.join(map(str, argv)))
        return execute(argv)

    def link(self, app, version, atlas, out, libraries=None, more=()):
        argv = [self.tools.ld, *linkLine(self.pair, app, version, self.c, self.applications[app, version],
                                         libraries or self.libraries[version], out)]
        if not self.tools.stock:
            argv += [f"--spacer-atlas={atlas}", f"--spacer-trampolines={self.c['trampolines']}", *more]
            if self.c["inputs"] == "merged":
                argv += [f"--spacer-lib={name}=*/lib{name}.o" for name in ("pair", "other")]
        status, _, errors = self.execute(argv)
        self.links += 1
        if status != 0:
            raise Failure(f"{out.name}: the linker refuses ({status}): {firstLine(errors)}")
        return out

    def judge(self, app, version, out, atlas):
        """The image is well formed, prints what it must, and `spacer verify` agrees."""
        image = Image(out)
        if image.complaint():
            raise Failure(f"{out.name}: {image.complaint()}")
        self.sharing += any(s[0].startswith(".spacer.text") for s in image.sections)
        status, output, _ = execute([out], timeout=20)
        self.commands.append(f"{out}  # status {status}")
        expected = self.expected(app, version)
        if status != 0 or output != expected:
            raise Failure(f"{out.name}: " + difference(status, output, expected))
        if self.tools.spacer:
            self.tool("verify", out, "--atlas", atlas)
        return image

    def tool(self, *arguments):
        status, _, errors = self.execute([self.tools.spacer, *arguments])
        if status != 0:
            raise Failure(f"spacer {arguments[0]} {os.path.basename(arguments[1])}: {firstLine(errors)}")

    def order(self, name, versions, frozenToo):
        """Links the versions in this order, then the first again, every application each time, with one atlas."""
        atlas = self.folder / f"{name}.atlas"
        first, texts, ofVersion = {}, {}, {}
        apps = self.pair.apps
        for turn, version in enumerate([*versions, versions[0]]):
            for app in apps if turn % 2 == 0 else apps[::-1]:
                out = self.link(app, version, atlas, self.folder / f"{name}-{turn}-{app.stem}-v{version}")
                image = self.judge(app, version, out, atlas)
                if first.setdefault((app, version), image.data) != image.data:
                    raise Failure(f"{out.name}: linking v{version} again gives other bytes")
                if self.pair.identical and ofVersion.setdefault(app, image.data) != image.data:
                    raise Failure(f"{out.name}: v{version} has the same inputs as the version before, but other bytes")
                self.compareTexts(texts, image, out)
            if frozenToo and turn == 0 and not self.tools.stock:
                self.frozen(apps[0], versions[-1], atlas)
        if self.tools.spacer:
            self.tool("atlas", "check", atlas)

    def frozen(self, app, version, atlas):
        """A frozen link of a version the atlas never saw runs rightly and leaves the atlas as it was."""
        before = atlas.read_bytes()
        out = self.link(app, version, atlas, self.folder / f"frozen-{app.stem}-v{version}",
                        more=["--spacer-mode=frozen"])
        self.judge(app, version, out, atlas)
        if atlas.read_bytes() != before:
            raise Failure(f"{out.name}: a frozen link changed the atlas")

    def compareTexts(self, seen, image, out):
        """A text page has one content for ever, unless old entries may be jumped over."""
        if self.c["trampolines"] in ("auto", "entry"):
            return
        for address, page in image.sharedPages(".spacer.text").items():
            if seen.setdefault(address, page) != page:
                raise Failure(f"{out.name}: the text page at {address:#x} differs from an earlier image's")

    def delta(self):
        """Base and delta link to the very image that the new library gives; both ways to make the delta agree."""
        old, new = self.pair.versions[:2]
        app = self.pair.apps[0]
        start, asNew, asDelta = (self.folder / f"delta{n}.atlas" for n in ("", "-new", "-base"))
        self.link(app, old, start, self.folder / "delta-base")
        written = self.folder / "written.spacer.o"
        deltas = [written]
        shutil.copy(start, asNew)
        image = self.link(app, new, asNew, self.folder / "delta-new",
                          more=[f"--spacer-delta={written}", f"--spacer-delta-base={self.libraries[old][0]}"])
        if self.tools.spacer and self.c["inputs"] == "archive":
            deltas.append(self.folder / "made.spacer.o")
            self.tool("delta", self.libraries[old][0], self.libraries[new][0], "-o", deltas[1])
        for delta in deltas:
            shutil.copy(start, asDelta)
            libraries = [self.libraries[old][0], delta, *self.libraries[old][1:]]
            out = self.link(app, new, asDelta, self.folder / f"delta-{delta.stem}", libraries)
            self.judge(app, new, out, asDelta)
            if out.read_bytes() != image.read_bytes():
                raise Failure(f"{out.name}: base + delta is not byte for byte the new library's image")

    def run(self, quick, withDelta):
        self.prepare()
        for number, versions in enumerate(self.pair.orders[:1] if quick else self.pair.orders):
            self.order(f"order{number}", versions, frozenToo=number == 0 and not quick)
        if withDelta:
            self.delta()

    def script(self):
        """The links as a shell script, for the one who looks into a failure."""
        path = self.folder / "commands.sh"
        path.write_text("#!/bin/sh\n" + "\n".join(self.commands) + "\n")
        return path


def difference(status, output, expected):
    if status != 0:
        return f"ends with {status} after {len(output)} bytes of output"
    lines, wanted = output.decode(errors="replace").splitlines(), expected.decode(errors="replace").splitlines()
    for number, (line, want) in enumerate(zip(lines, wanted), 1):
        if line != want:
            return f"line {number} is `{line}`, not `{want}`"
    return f"{len(lines)} lines, not {len(wanted)}"
