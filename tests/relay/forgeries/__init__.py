"""Forged, spoilt, repeated, wrongly dated and wrongly addressed deliveries, of which none is taken."""
