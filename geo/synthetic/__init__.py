"""Made riders on a real street network, with the truth kept."""
