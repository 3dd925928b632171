# SPDX-License-Identifier: MIT
"""The command line of tools/toll."""
import argparse
import os
import signal
import sys

from tollgate import Refused, __version__, boot, hosts, options, report, results, run
from tollgate.collect import PLATFORMS

_EXAMPLES = """examples:
  tools/toll run                               what exits cost, both run loops, on qemu-epyc
  tools/toll run --host opteron-g3 --loop plain
  tools/toll run --platform native             the same payload without Tollgate
  tools/toll run --vm page=2m --vm fill=boot   with knobs set
  tools/toll run --manifest two.manifest       VMs of your own
  tools/toll boot build/guest/hello.elf        any guest image; its console appears here
  tools/toll boot bzImage --module initrd.img --cmdline 'console=ttyS0' --vm memory=256M
  tools/toll collect serial.log                results from the serial log of a real machine
  tools/toll report results/latest             the table once more
"""

_BOOT_STATUS = """exit status: 0 the guest powered off; 124 time limit; 125 the VM was stopped for
a fault; 126 the hypervisor failed; 2 wrong usage; else what QEMU gives for the value v that the
guest wrote to the exit port 0xf4: (v << 1) | 1, low eight bits."""

_RUN_STATUS = """exit status: 0 all is well; 1 the results have problems, listed at the report's
end; 2 wrong usage; 124 time limit. Written: results/STAMP-HOST-WHAT/ with results.json,
report.txt, and for each boot its manifest, console stream and records."""


def _add_run(commands):
    parser = commands.add_parser("run", help="run a payload and publish what it measures",
                                 description="Boots a payload once per run loop and prints what "
                                 "its operations cost.", epilog=_RUN_STATUS)
    parser.add_argument("--payload", metavar="FILE",
                        default=os.path.join(options.PAYLOADS, "exits.elf"),
                        help="multiboot ELF (default build/guest/exits.elf)")
    parser.add_argument("--platform", choices=(*PLATFORMS, "both"), default=PLATFORMS[0],
                        help="under Tollgate, without it, or both (default tollgate)")
    parser.add_argument("--loop", choices=("plain", "measure", "both"), default="both",
                        help="run loop of the VM; one boot each (default both)")
    parser.add_argument("--manifest", metavar="FILE",
                        help="describes the VMs, instead of --payload, --loop and --vm")
    parser.add_argument("--results", default=options.RESULTS, metavar="DIR",
                        help="where results go (default results/)")
    parser.add_argument("--operations", action="store_true",
                        help="also count what the hypervisor executes in each exit (QEMU only)")
    options.add_machine(parser)
    options.add_vm(parser)
    parser.set_defaults(main=run.main)


def _add_boot(commands):
    parser = commands.add_parser("boot", help="boot any guest image under Tollgate",
                                 description="Boots a guest image in one VM; its console is "
                                 "standard output.", epilog=_BOOT_STATUS)
    parser.add_argument("guest", metavar="IMAGE", help="multiboot ELF, Linux or raw image")
    parser.add_argument("-v", "--verbose", action="store_true",
                        help="Tollgate's own log and records on standard error")
    options.add_machine(parser)
    options.add_vm(parser)
    parser.set_defaults(main=boot.main)


def _add_report(commands):
    parser = commands.add_parser("report", help="render results again")
    parser.add_argument("folder", metavar="DIR", help="for example results/latest")
    parser.add_argument("--native", metavar="DIR",
                        help="other results, whose native figures make a further column")
    parser.set_defaults(main=_report)


def _add_collect(commands):
    parser = commands.add_parser("collect", help="make results from a saved console stream",
                                 description="Reads what a real machine sent over its serial "
                                 "line and publishes it like a run.")
    parser.add_argument("log", metavar="FILE")
    parser.add_argument("--platform", choices=PLATFORMS, default=PLATFORMS[0])
    parser.add_argument("--manifest", metavar="FILE", help="the manifest that was used")
    parser.add_argument("--results", default=options.RESULTS, metavar="DIR")
    parser.set_defaults(main=run.collect)


def _report(opts):
    native = results.load(opts.native) if opts.native else None
    sys.stdout.write(report.render(results.load(opts.folder), native))
    return 0


def _hosts(_opts):
    sys.stdout.write(hosts.render())
    return 0


def make_parser():
    """The argument parser."""
    parser = argparse.ArgumentParser(
        prog="toll", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Boots Tollgate on an emulated machine, runs guests, publishes what they "
        "measure.", epilog=_EXAMPLES)
    parser.add_argument("--version", action="version", version=f"toll {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_boot(commands)
    commands.add_parser("hosts", help="list the emulated machines").set_defaults(main=_hosts)
    _add_report(commands)
    _add_collect(commands)
    return parser


def _interrupt(*_):
    raise KeyboardInterrupt


def main(arguments):
    """Runs one command; returns the exit status."""
    opts = make_parser().parse_args(arguments)
    opts.arguments = arguments
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return opts.main(opts)
    except Refused as error:
        print(f"toll: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        print("toll: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
