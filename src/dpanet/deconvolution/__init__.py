"""Classical deconvolution: Wiener and Richardson-Lucy filters, lenses, disparity, and fits of blur to views."""
