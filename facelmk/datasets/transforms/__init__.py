"""What happens to a face on its way to the network: load, choose a box, crop, change pixels, pack."""
