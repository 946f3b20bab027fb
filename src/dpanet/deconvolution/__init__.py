"""Classical deconvolution: blur estimated from the views, Wiener and Richardson-Lucy filters, fits of kernels."""
