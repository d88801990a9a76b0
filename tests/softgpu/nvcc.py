#!/usr/bin/env python3
"""A stand-in for nvcc: `.cu` files become modules that the software GPU compiles for the host when they are loaded.

    nvcc.py --ptx ... FILE.cu     writes FILE.ptx: one line of settings, then the source with its own headers inlined
    nvcc.py -c -o OUT FILE.cu     host code with <<<>>>: its C functions, each of which stops the program by name
    nvcc.py --lib -o OUT FILE...  ar
    nvcc.py --module PTX          compiles what such a PTX holds, once, and prints the shared library's path

A "PTX" carries its source instead of a path, so that binaries outlive the folders they were built in, and a changed
header of the software GPU needs no new build of the program.
"""
import hashlib
import inspect
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEVICE = HERE / "device"
MAGIC = "// softgpu "
ARCHITECTURES = (75, 80, 86, 89, 90)
# A fixed level of the instruction set, not the building machine's: the same numbers and modules on any machine.
HOST = ["-march=x86-64-v3"] if platform.machine() == "x86_64" else []
COMPILER = ["g++", "-x", "c++", "-std=gnu++17", "-O2", "-fPIC", "-fno-strict-aliasing", "-w", *HOST]
TAKES_VALUE = {"-o", "--output-directory", "--default-stream", "-Xcompiler", "-ccbin", "-arch", "-I", "-D"}


def main(arguments):
    if "--version" in arguments:
        # cudarc takes the version of the API from the fourth line.
        return print("nvcc: a software GPU\n\n\nCuda compilation tools, release 13.0, V13.0.88")
    if "--list-gpu-code" in arguments or "--list-gpu-arch" in arguments:
        return print("\n".join(f"sm_{number}" for number in ARCHITECTURES))
    options, defines, flags, files = parse(arguments)
    if "--module" in flags:
        return print(module(Path(files[0]).read_text()))
    if flags & {"--ptx", "-ptx"}:
        for file in map(Path, files):
            folder = Path(options.get("--output-directory", "."))
            target = Path(options.get("-o", folder / f"{file.stem}.ptx"))
            settings = json.dumps({"name": file.stem, "defines": defines})
            target.write_text(f"{MAGIC}{settings}\n{inlined(file, set())}")
    elif "-c" in flags:
        stubs(Path(files[0]), Path(options["-o"]))
    elif "--lib" in flags:
        Path(options["-o"]).unlink(missing_ok=True)
        run("ar", "crs", options["-o"], *files)
    else:
        sys.exit(f"nvcc of the software GPU: {arguments}")


def parse(arguments):
    """Options with values, -D words, plain flags, files."""
    options, defines, flags, files = {}, [], set(), []
    words = iter(arguments)
    for word in words:
        if word in TAKES_VALUE:
            value = next(words)
            options[word] = value
            defines += ["-D" + value] if word == "-D" else []
        elif word.startswith("-D"):
            defines.append(word)
        elif word.startswith("-"):
            flags.add(word)
        else:
            files.append(word)
    return options, defines, flags, files


def run(*command, **more):
    done = subprocess.run(command, **more)
    if done.returncode:
        sys.exit(done.returncode)
    return done


def inlined(file, seen):
    """The text of `file` with the headers that lie beside it, each once: they all say `#pragma once`."""
    seen.add(file.resolve())

    def header(match):
        path = file.parent / match[1]
        if not path.is_file():
            return match[0]  # one of CUDA's: device/ has it
        return "" if path.resolve() in seen else inlined(path, seen)

    text = re.sub(r'^\s*#\s*include\s+"([^"]+)".*$', header, file.read_text(), flags=re.MULTILINE)
    return text.replace("#pragma once", "")


def module(ptx):
    """The shared library of a PTX of ours, from the cache where its source, settings and device/ are the same."""
    first, _, source = ptx.partition("\n")
    if not first.startswith(MAGIC):
        sys.exit("nvcc of the software GPU: an image that it did not make")
    settings = json.loads(first[len(MAGIC):])
    headers = sorted(path for path in DEVICE.rglob("*") if path.is_file())
    content = [ptx, " ".join(COMPILER), inspect.getsource(compile_module), *(path.read_text() for path in headers)]
    key = hashlib.sha256("\0".join(content).encode()).hexdigest()[:16]
    folder = Path(os.environ.get("SOFTGPU_MODULES", Path(tempfile.gettempdir()) / "softgpu-modules"))
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / f"{settings['name']}-{key}.so"
    if not library.exists():
        # Under the final name there is only ever a whole library, also where two processes build it at once.
        partial = library.with_suffix(f".{os.getpid()}.so")
        compile_module(source, settings, partial)
        os.replace(partial, library)
    return library


def compile_module(source, settings, library):
    # Dynamic shared memory: a pointer that the launch sets, instead of an array without a size.
    source = re.sub(
        r"extern\s+__shared__\s+(?:__align__\(\d+\)\s+)?([\w:]+(?:\s+char)?)\s+(\w+)\[\];",
        r"\1* \2 = (\1*)softgpu::dynamic_shared;", source)
    base = [*COMPILER, *settings["defines"], f"-I{DEVICE}", "-include", str(DEVICE / "kernel.h")]
    quiet = dict(input=source, capture_output=True, text=True)
    # Listed after preprocessing, because macros make most names.
    plain = run(*base, "-DSOFTGPU_LIST", "-E", "-P", "-", **quiet).stdout
    names = sorted(set(re.findall(r"softgpu_global\s*(?:__attribute__\s*\(\(.*?\)\)\s*)?void\s+(\w+)\s*\(", plain)))
    table = "".join(f"SOFTGPU_ENTRY({name})\n" for name in names)
    source = f'#line 1 "{settings["name"]}.cu"\n{source}\nSOFTGPU_TABLE_BEGIN\n{table}SOFTGPU_TABLE_END\n'
    run(*base, "-shared", "-o", str(library), "-", input=source, text=True)


def stubs(file, target):
    text = inlined(file, set())
    base = [*COMPILER, f"-I{DEVICE}", "-include", str(DEVICE / "kernel.h"), "-DSOFTGPU_LIST", "-E", "-P", "-"]
    scan = subprocess.run(base, input=text, capture_output=True, text=True)
    plain = scan.stdout if scan.returncode == 0 else text  # a header that is not here (mma.h): what the file itself says
    names = dict.fromkeys(re.findall(r'extern\s+"C"\s+(?:void|int)\s+(\w+)\s*\(', plain))
    bodies = "".join(f'__attribute__((weak)) void {name}(void) {{ softgpu_missing("{name}"); }}\n' for name in names)
    run("gcc", "-x", "c", "-fPIC", "-w", "-c", "-o", str(target), "-", text=True,
        input=f"void softgpu_missing(const char*);\n{bodies}")


main(sys.argv[1:])
