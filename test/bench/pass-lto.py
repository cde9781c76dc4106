#!/usr/bin/env python3
"""Sharing when every image is optimised at the link: applications and libraries as bitcode, compiled with the pass.

Each application is linked by ld.spacer on one atlas, booted, and its output compared with that of stock lld's image of
objects without LTO and pass. Then `spacer compare` over all images: ideal / distinct pages. Private code counts on both
sides there, so images that share nothing would look perfect: the pages of all images and how many of them are private
stand beside it. --without does it again without the pass, where libraries are lost in the optimised whole. Bar of the
issue: efficiency ≥ 0.90, and everything boots and works."""

import json
import subprocess

from measure import bar, bedFolder, classPages, link, linkArgv, main, passFolders, table

from harness import Refused, bedInput, execute, root


def boot(image, app):
    return execute([root / "test/bed/boot.sh", image, f"--input={bedInput(app)}", "--timeout=120"])


def build(tools, bed, apps, work, flags):
    """{app: image} and what went wrong."""
    images, problems = {}, []
    for app in apps:
        out = work / f"{bed.name}-{app}"
        try:
            link(linkArgv(tools.ld, bed / "base", app, out, f"--spacer-atlas={work}/{bed.name}.atlas", *flags, linux=False))
            images[app] = out
        except Refused as e:
            problems.append(f"{app}: {e}")
    return images, problems


def body(options, tools, work):
    apps = options.apps.split(",")
    beds = passFolders("base", f"--lto={options.lto}")
    plain = bedFolder("clang", "yes", "-O2", "--version=base")
    rows, found = [], {}
    for side in ("with", "without") if options.without else ("with",):
        images, problems = build(tools, beds[side], apps, work, options.flags.split())
        for app, image in images.items():
            stock = work / "stock"
            link(linkArgv(tools.needStock(), plain / "base", app, stock, linux=False))
            if boot(image, app) != boot(stock, app):
                problems.append(f"{app}: prints something else than stock lld's")
        said = {}
        if images and tools.spacer:
            said = json.loads(subprocess.run([tools.spacer, "compare", "--json", *images.values()], check=True,
                                             stdout=subprocess.PIPE).stdout)
        value = said.get("efficiency", 0)
        found[side] = {"efficiency": value, "problems": problems, "compare": said}
        classes = [classPages(image) for image in images.values()]
        private = sum(len(c.get("private", ())) for c in classes)
        pages = sum(entry["pages"] for entry in said.get("images", ()))
        found[side].update(pages=pages, privatePages=private)
        rows.append([side, len(images), pages, private, said.get("distinctPages"), said.get("idealPages"), f"{value:.3f}",
                     len(images) - len(problems), bar(value, 0.90, True) if not problems else "MISSED: " + problems[0]])
    table(["pass", "images", "pages", "private", "distinct", "ideal", "efficiency", "right output", "bar"], rows)
    return found


main(__doc__, body, [
    ("--apps", dict(default="lua,sqlite,xml,expat,zlib,combo", help="[%(default)s]")),
    ("--lto", dict(default="full", choices=("full", "thin"), help="[full]")),
    ("--without", dict(action="store_true", help="also without the pass")),
    ("--flags", dict(default="", help="more linker flags, such as --spacer-trampolines=door")),
])
