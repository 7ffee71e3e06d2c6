"""BCI, Border Crossing Information: crossings of the land borders, and Canada's word on who has left."""
