"""Journals into the ledger and the metrics. One recorder beside the gateways of a machine."""
