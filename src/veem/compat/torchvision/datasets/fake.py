"""Images of noise, for trying programs out."""

import veem
from veem.compat.torchvision.datasets.vision import VisionDataset
from veem.compat.torchvision.transforms.functional import to_pil_image

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """Images of noise with labels of chance, the same for the same index."""

    def __init__(
        self,
        size=1000,
        image_size=(3, 224, 224),
        num_classes=10,
        transform=None,
        target_transform=None,
        random_offset=0,
    ):
        super().__init__(None, None, transform, target_transform)
        self.size, self.num_classes = size, num_classes
        self.image_size, self.random_offset = image_size, random_offset

    def __getitem__(self, index):
        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        state = veem.get_rng_state()
        veem.manual_seed(index + self.random_offset)
        image = veem.randn(*self.image_size)
        target = veem.randint(0, self.num_classes, size=(1,)).item()
        veem.set_rng_state(state)
        return self.transformed(to_pil_image(image), target)

    def __len__(self):
        return self.size
