"""Control of the machine itself: clock, switches, faults, redirects, webhooks, reset, scenarios."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from obdesk.simulator.clock import Clock
from obdesk.simulator.control.table import ControlError, Json, Machinery, Order, Table
from obdesk.simulator.faults import Fault
from obdesk.simulator.hooks.registry import EVENTS, Delivery

_logger = logging.getLogger(__name__)


class Machine:
    """The calls about the machine."""

    def __init__(self, simulator: Machinery, table: Table) -> None:
        self._simulator = simulator
        self._table = table
        table.add("GET", "", self.index)
        table.add("GET", "/clock", self.clock)
        table.add("POST", "/clock", self.move_clock)
        table.add("GET", "/switches", self.switches)
        table.add("POST", "/switches", self.set_switches)
        table.add("GET", "/faults", self.faults)
        table.add("POST", "/faults", self.add_faults)
        table.add("DELETE", "/faults", self.clear_faults)
        table.add("GET", "/requests", self.requests)
        table.add("POST", "/redirects", self.add_redirects)
        table.add("GET", "/tokens", self.tokens)
        table.add("GET", "/webhooks", self.deliveries)
        table.add("POST", "/webhooks", self.subscribe)
        table.add("POST", "/reset", self.reset)
        table.add("POST", "/scenario", self.scenario)

    def index(self, order: Order) -> Json:
        """List the control calls."""
        del order
        return {"calls": [f"{entry.method} {entry.path or '/'}" for entry in self._table.entries]}

    def clock(self, order: Order) -> Json:
        """Return the virtual instant."""
        del order
        clock = self._simulator.clock
        return {"now": clock.now().isoformat(), "frozen": clock.frozen}

    def move_clock(self, order: Order) -> Json:
        """Move, freeze or run the clock; what falls due in between happens."""
        clock, body = self._simulator.clock, order.members
        try:
            if "frozen" in body:
                (clock.freeze if body["frozen"] else clock.run)()
            if "now" in body:
                instant = datetime.fromisoformat(str(body["now"]))
                clock.move_to(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
            clock.advance(float(body.get("advance_s", 0)))
        except (ValueError, TypeError) as error:
            raise ControlError(str(error)) from error
        self._simulator.world.tick()
        return self.clock(order)

    def switches(self, order: Order) -> Json:
        """List every switch with its meaning."""
        del order
        return {"switches": self._simulator.switches.table()}

    def set_switches(self, order: Order) -> Json:
        """Set switches, all or none."""
        switches = self._simulator.switches
        before = {name: getattr(switches, name) for name in order.members if hasattr(switches, name)}
        try:
            for name, value in order.members.items():
                switches.put(name, value)
        except (KeyError, ValueError) as error:
            for name, value in before.items():
                setattr(switches, name, value)
            raise ControlError(f"no such switch or value: {error}") from error
        return {name: getattr(switches, name) for name in order.members}

    def faults(self, order: Order) -> Json:
        """List the rules with how often each struck."""
        del order
        return {"faults": [rule.facts() for rule in self._simulator.faults.rules]}

    def add_faults(self, order: Order) -> Json:
        """Add rules; the body is one rule or a list of them."""
        wanted = order.body if isinstance(order.body, list) else [order.members]
        try:
            rules = [Fault(**rule) for rule in wanted]
        except (TypeError, ValueError) as error:
            raise ControlError(str(error)) from error
        self._simulator.faults.rules += rules
        return self.faults(order)

    def clear_faults(self, order: Order) -> Json:
        """Forget every rule."""
        self._simulator.faults.rules.clear()
        return self.faults(order)

    def requests(self, order: Order) -> Json:
        """List the requests that came in, oldest first."""
        del order
        return {"requests": [asdict(seen) for seen in self._simulator.faults.seen]}

    def add_redirects(self, order: Order) -> Json:
        """Register more redirect addresses."""
        uris = self._simulator.world.redirect_uris
        uris += [uri for uri in order.members.get("add", []) if uri not in uris]
        return {"redirect_uris": uris}

    def tokens(self, order: Order) -> Json:
        """Return the tokens that the console of the real service would show."""
        del order
        tokens = self._simulator.world.tokens
        return {"config": tokens.config.value, "users": tokens.manage.value}

    def deliveries(self, order: Order) -> Json:
        """List webhook deliveries with their attempts, oldest first."""
        del order
        return {"deliveries": [_delivery_json(item) for item in self._simulator.registry.deliveries]}

    def subscribe(self, order: Order) -> Json:
        """Register an address for events; `{event}` in it is replaced, else the name is appended."""
        body = order.members
        if not body.get("url"):
            raise ControlError("url is missing")
        events = body.get("events") or EVENTS
        if not set(events) <= set(EVENTS):
            raise ControlError("unknown event")
        hooks = self._simulator.registry.subscribe(str(body["url"]), body.get("secret"), events)
        return {"webhooks": [{"id": hook.id, "event": hook.event, "url": hook.url} for hook in hooks]}

    def reset(self, order: Order) -> Json:
        """Start over with an empty world and default switches; `start` and `frozen` set the clock anew."""
        body, clock = order.members, self._simulator.clock
        if "start" in body or "frozen" in body:
            try:
                start = datetime.fromisoformat(str(body.get("start", clock.now().isoformat())))
            except ValueError as error:
                raise ControlError(str(error)) from error
            aware = start if start.tzinfo else start.replace(tzinfo=UTC)
            clock = Clock(aware, frozen=bool(body.get("frozen", clock.frozen)))
        self._simulator.reset(clock)
        return {"reset": True}

    def scenario(self, order: Order) -> Json:
        """Run a list of control calls, now or `at_s` seconds from now."""
        steps = order.body if isinstance(order.body, list) else order.members.get("steps", [])
        return {"results": [self._step(step) for step in steps]}

    def _step(self, step: Json) -> Any:
        method, path = str(step.get("method", "POST")), str(step.get("path", ""))
        if not step.get("at_s"):
            return self._table.run(method, path, step.get("body"))
        world = self._simulator.world
        world.plan(world.now + int(step["at_s"]), partial(self._run_later, method, path, step.get("body")))
        return {"planned": True}

    def _run_later(self, method: str, path: str, body: Any) -> None:
        try:
            self._table.run(method, path, body)
        except ControlError as error:
            _logger.info("the planned %s %s made no sense: %s", method, path, error)


def _delivery_json(delivery: Delivery) -> Json:
    return {
        "id_webhook_data": delivery.id,
        "event": delivery.hook.event,
        "url": delivery.hook.url,
        "bytes": len(delivery.body),
        "created": delivery.created,
        "accepted": delivery.accepted,
        "next_at": delivery.next_at,
        "attempts": [asdict(attempt) for attempt in delivery.attempts],
    }
