"""Measurements that anybody can repeat on one machine; nothing in the product imports them."""
