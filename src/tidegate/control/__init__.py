"""Control: the operators' API, the plan's reload, the feed to the gateways, the recorder."""
