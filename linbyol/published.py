"""Numbers as published: Top-1 in percent as (mean, standard deviation over seeds or None), by claim.

Sources: Tian et al. (2021), Tables 1-9; the replication of KTH; Wang et al., arXiv 2110.04947.
"""

Value = tuple[float, float | None]

PUBLISHED: dict[str, dict[str, Value]] = {
    "B121": {  # Table 1, STL-10, 100 epochs; the baseline is Table 3's
        "gradient": (74.51, 0.47),
        "EMA, N = 1": (40.67, 0.50), "EMA, N = 2": (35.29, 2.49), "EMA, N = 3": (34.60, 0.98),
        "EMA, N = 5": (35.63, 2.66),
        "no EMA, N = 1": (39.45, 1.26), "no EMA, N = 2": (34.01, 1.54), "no EMA, N = 3": (34.58, 2.93),
        "no EMA, N = 5": (32.22, 2.94),
    },
    "B122": {  # Tables 2 and 3, STL-10, 100 epochs, no predictor bias
        "EMA, decay 0.0004": (74.51, 0.47), "EMA, no decay": (70.62, 1.05),
        "no EMA, decay 0.0004": (72.85, 0.16), "no EMA, no decay": (71.36, 0.44),
        "EMA, no decay, bias": (70.99, 1.01), "no EMA, no decay, bias": (71.37, 0.77),
    },
    "B123": {  # Table 3, STL-10, 100 epochs
        "1 layer, EMA, sym": (75.09, 0.48), "1 layer, EMA, regular": (74.51, 0.47),
        "1 layer, EMA, bias, sym": (74.52, 0.29), "1 layer, EMA, bias, regular": (74.16, 0.33),
        "1 layer, no EMA, sym": (36.62, 1.85), "1 layer, no EMA, regular": (72.85, 0.16),
        "1 layer, no EMA, bias, sym": (36.04, 2.74), "1 layer, no EMA, bias, regular": (72.13, 0.53),
        "2 layers, EMA, sym": (71.58, 6.46), "2 layers, EMA, regular": (78.85, 0.25),
        "2 layers, EMA, bias, sym": (77.64, 0.41), "2 layers, EMA, bias, regular": (78.53, 0.34),
        "2 layers, no EMA, sym": (35.59, 2.10), "2 layers, no EMA, regular": (65.98, 0.71),
        "2 layers, no EMA, bias, sym": (41.92, 4.25), "2 layers, no EMA, bias, regular": (65.59, 0.66),
        "ImageNet SimSiam, sym": (0.1, None), "ImageNet SimSiam, regular": (68.1, None),
    },
    "B125": {  # Table 5, STL-10, 100 epochs, symmetric predictor unless said
        "predictor only, EMA": (71.91, 0.70), "predictor only, EMA, regular": (70.54, 0.93),
        "predictor only, EMA, bias": (73.67, 0.47), "predictor only, EMA, bias, regular": (70.89, 0.98),
        "predictor only, no EMA": (71.12, 0.71), "predictor only, no EMA, regular": (71.34, 0.63),
        "predictor only, no EMA, bias": (73.01, 0.37), "predictor only, no EMA, bias, regular": (71.70, 0.83),
        "no decay, EMA": (71.76, 0.28), "no decay, EMA, bias": (71.86, 0.39),
        "no decay, no EMA": (43.04, 2.32), "no decay, no EMA, bias": (41.36, 3.33),
        "no decay, no EMA, regular": (71.36, 0.44),
    },
    "B126": {  # Table 6, STL-10, 100 epochs
        "rho 0.3, eps 0": (76.77, 0.24), "rho 0.3, eps 0.01": (77.11, 0.35),
        "rho 0.3, eps 0.1": (77.86, 0.16), "rho 0.3, eps 0.5": (75.06, 1.10),
        "rho 0.5, eps 0": (76.65, 0.20), "rho 0.5, eps 0.01": (76.76, 0.33),
        "rho 0.5, eps 0.1": (77.56, 0.25), "rho 0.5, eps 0.5": (75.22, 0.81),
    },
    "B127": {  # Table 7, STL-10, 100 epochs; c = 0 is Table 6's
        "freq 1, c 0.1": (46.57, 18.43), "freq 1, c 0.05": (65.31, 18.22), "freq 1, c 0": (76.77, 0.24),
        "freq 1, c -0.05": (77.11, 0.66), "freq 1, c -0.1": (76.46, 0.55),
        "freq 2, c 0.1": (75.01, 0.48), "freq 2, c 0.05": (75.10, 0.35),
        "freq 2, c -0.05": (76.83, 0.52), "freq 2, c -0.1": (76.31, 0.27),
    },
    "B128": {  # Table 8
        "STL-10 100, DirectPred": (77.86, 0.16), "STL-10 100, SGD": (75.06, 0.52),
        "STL-10 300, DirectPred": (78.77, 0.97), "STL-10 300, SGD": (75.25, 0.74),
        "STL-10 500, DirectPred": (78.86, 1.15), "STL-10 500, SGD": (75.25, 0.74),
        "CIFAR-10 100, DirectPred": (85.21, 0.23), "CIFAR-10 100, SGD": (84.49, 0.20),
        "CIFAR-10 300, DirectPred": (88.88, 0.15), "CIFAR-10 300, SGD": (88.57, 0.15),
        "CIFAR-10 500, DirectPred": (89.52, 0.04), "CIFAR-10 500, SGD": (89.33, 0.27),
    },
    "B129": {  # Table 8, STL-10
        "freq 5, 100": (77.54, 0.11), "freq 1, 100": (77.86, 0.16),
        "freq 5, 300": (79.90, 0.66), "freq 1, 300": (78.77, 0.97),
        "freq 5, 500": (80.28, 0.62), "freq 1, 500": (78.86, 1.15),
    },
    "B130": {  # Table 9, ImageNet, ResNet-50
        "60, DirectPred": (64.4, None), "60, 2 layers": (64.7, None), "60, linear": (59.4, None),
        "300, DirectPred": (72.4, None), "300, 2 layers": (72.5, None), "300, linear": (69.9, None),
    },
    "B131": {"six partitions": (78.20, 0.16), "DirectPred": (77.86, 0.16), "2 layers": (78.85, 0.25)},
    "B132": {  # KTH, CIFAR-10, 2-layer predictor
        "BYOL, sym": (85.7, None), "BYOL, regular": (84.2, None),
        "no EMA, sym": (20.3, None), "no EMA, regular": (79.4, None),
        "no EMA, no decay, sym": (20.27, None), "no EMA, predictor decay only, sym, lowest": (79.1, None),
    },
    "B133": {  # 2110.04947
        "CIFAR-100 500, DirectCopy": (62.23, 0.06), "CIFAR-100 500, SGD": (61.42, None),
        "CIFAR-100 500, DirectPred": (62.68, None),
        "ImageNet, DirectCopy": (68.8, None), "ImageNet, SGD": (68.6, None), "ImageNet, DirectPred": (68.5, None),
    },
    "B134": {  # 2110.04947, 100 epochs
        "STL-10, eps 0": (76.57, None), "STL-10, eps 0.1": (78.05, None),
        "STL-10, eps 0.2": (77.83, 0.56), "STL-10, eps 1": (31.10, None),
        "STL-10, spectral": (77.83, 0.56), "STL-10, Frobenius": (77.71, None), "STL-10, no norm": (77.81, None),
        "CIFAR-10, spectral": (84.02, 0.37), "CIFAR-10, Frobenius": (84.33, None), "CIFAR-10, no norm": (81.76, None),
    },
    "B135": {  # 2110.04947, 100 epochs
        "STL-10, decay 0": (71.94, None), "STL-10, decay 4e-4": (77.83, 0.56),
        "STL-10, decay 1e-3": (77.65, None), "STL-10, decay 1e-2": (58.12, None),
        "CIFAR-10, decay 0": (79.15, None), "CIFAR-10, decay 4e-4": (84.02, 0.37),
        "CIFAR-10, decay 1e-3": (83.91, None), "CIFAR-10, decay 1e-2": (65.31, None),
    },
    "B136": {  # 2110.04947
        "STL-10 100, alpha 2": (76.80, None), "STL-10 100, alpha 1": (77.83, 0.56),
        "STL-10 100, alpha 1/2": (77.82, None), "STL-10 100, alpha 1/4": (76.82, None),
        "STL-10 300, alpha 2": (80.90, None), "STL-10 300, alpha 1": (82.01, 0.28),
        "STL-10 300, alpha 1/2": (77.83, None), "STL-10 300, alpha 1/4": (76.82, None),
        "CIFAR-10 100, alpha 2": (82.96, None), "CIFAR-10 100, alpha 1": (84.02, 0.37),
        "CIFAR-10 100, alpha 1/2": (84.88, None), "CIFAR-10 100, alpha 1/4": (84.78, None),
    },
}  # fmt: skip
