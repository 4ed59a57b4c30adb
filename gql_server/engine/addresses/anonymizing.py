"""The tasks that rewrite addresses, and the one that previews."""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import assert_never

from gql_server.domain.anonymization import AddressPair
from gql_server.engine.addresses.mapping import AddressMap
from gql_server.engine.addresses.ranges import Numbers
from gql_server.engine.addresses.rewriter import NewAddresses, Rewriter
from gql_server.engine.addresses.vendor_map import VendorMap
from gql_server.engine.capture.records import TOTAL_DROPPED
from gql_server.engine.capture.source import PlainSource
from gql_server.engine.capture.windows import CaptureWindows
from gql_server.engine.inspect.storing import store_capture
from gql_server.engine.tasks import Anonymized, AnonymizeTask, Previewed, PreviewTask, Progressed, TransformMacsTask


def anonymize(task: AnonymizeTask, progress: Callable[[Progressed], None]) -> Anonymized:
    """Carry out an anonymize task.

    Raises:
        CaptureError: the source is no capture.
        RulesError: the rules contradict themselves.
    """
    return _rewrite(task, progress)


def transform_macs(task: TransformMacsTask, progress: Callable[[Progressed], None]) -> Anonymized:
    """Carry out a MAC transformation.

    Raises:
        CaptureError: the source is no capture.
        RulesError: the rules contradict themselves, or an address that one makes is another device's.
    """
    return _rewrite(task, progress)


def _rewriter(task: AnonymizeTask | TransformMacsTask | PreviewTask) -> Rewriter:
    match task:
        case TransformMacsTask():
            # IP addresses stay here, and so do the names that spell them.
            return Rewriter(VendorMap(task.key, task.nic, task.rules), payload=task.payload, reverse_names=False)
        case AnonymizeTask():
            addresses = AddressMap(task.key, task.mapping, task.rules, mac_mapping=task.mac_mapping)
            return Rewriter(addresses, payload=task.payload, names=task.names)
        case PreviewTask():
            return Rewriter(AddressMap(task.key, task.mapping, task.rules, mac_mapping=task.mac_mapping))
        case _:
            assert_never(task)


def _rewrite(task: AnonymizeTask | TransformMacsTask, progress: Callable[[Progressed], None]) -> Anonymized:
    rewriter = _rewriter(task)
    source = PlainSource(task.source)
    try:
        windows = CaptureWindows(source, strip=True)

        def tell() -> None:
            progress(Progressed(packets=windows.packets, bytes_done=source.position, bytes_total=source.size))

        output = task.output_directory / windows.format.file_name
        summary, survey = store_capture(windows, output, tell, change=rewriter.rewrite)
    finally:
        source.close()
    report = rewriter.report(windows.packets, int(windows.totals[TOTAL_DROPPED]))
    # Its tables go before the survey needs room to sort.
    del rewriter
    return Anonymized(summary=summary, report=report, inspection=survey.finish(task.output_directory))


def preview(task: PreviewTask, progress: Callable[[Progressed], None]) -> Previewed:
    """Carry out a preview task: map the first distinct addresses and stop.

    Raises:
        CaptureError: the source is no capture.
    """
    rewriter = _rewriter(task)
    source = PlainSource(task.source)
    pairs: list[AddressPair] = []
    try:
        windows = CaptureWindows(source, strip=True)
        for window in windows:
            rewriter.note(window)
            pairs += islice(_pairs(rewriter.settle_new()), task.first - len(pairs))
            done = Progressed(packets=windows.packets, bytes_done=source.position, bytes_total=source.size)
            progress(done)
            if len(pairs) >= task.first:
                break
    finally:
        source.close()
    return Previewed(pairs=tuple(pairs))


def _pairs(new: NewAddresses) -> Iterator[AddressPair]:
    """Yield them in the order in which they were met."""
    originals, images = _texts(new, new.originals), _texts(new, new.images)
    kinds = ["IPV6"] * new.six + ["IPV4"] * new.four + ["MAC"] * (len(originals) - new.six - new.four)
    for place in new.order.argsort().tolist():
        yield AddressPair(original=originals[place], replacement=images[place], kind=kinds[place])


def _texts(new: NewAddresses, addresses: Numbers) -> list[str]:
    numbers, wide = addresses.tolist(), 2 * new.six
    ipv6 = [str(IPv6Address((high << 64) | low)) for high, low in zip(numbers[:wide:2], numbers[1:wide:2], strict=True)]
    ipv4 = [str(IPv4Address(number)) for number in numbers[wide : wide + new.four]]
    return ipv6 + ipv4 + [number.to_bytes(6, "big").hex(":") for number in numbers[wide + new.four :]]
