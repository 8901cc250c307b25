"""A project outside facelmk: nine points on drawn faces, every part its own. Importing it registers the parts."""

from . import codec, dataset, hook, markup, metric, network, transform
