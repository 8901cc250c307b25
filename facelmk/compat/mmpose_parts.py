"""Parts and arguments of MMPose, and what does the same here, for the errors of configs that mix the two."""

STEPS = {  # of pipelines
    'GetBBoxCenterScale': 'CropFace(padding=1.25)',
    'RandomFlip': "CropFace(flip=.5, mirror='photo')",
    'RandomHalfBody': 'HalfBody()',
    'TopdownAffine': 'CropFace(size=256), with use_udp=True CropFace(size=256, udp=True)',
    'GenerateTarget': "the model's codec",
    'RandomBBoxTransform': "CropFace(rotate=60, rotate_prob=.6, scale=(.75, 1.25), draw='truncnorm')",
    'PackPoseInputs': 'PackFace()',
    'YOLOXHSVRandomAug': 'HSV()',
    'PhotometricDistortion': 'Photometric()',
    'Albumentation': 'Blur(kernel=7), MedianBlur(kernel=7), CoarseDropout()',
    'KeypointConverter': 'JoinedFaces(markup=...)',
}
_UNLIKE = 'nothing that is equal'
PARTS = STEPS | {
    'TopdownPoseEstimator': 'facelmk.FaceLandmarker',
    'TopDown': 'facelmk.FaceLandmarker',
    'PoseDataPreprocessor': 'model.mean and model.std',
    'FeatureMapProcessor': 'HeatmapHead, which already joins all features',
    'GlobalAveragePooling': 'RegressionHead, which already takes the mean',
    'HourglassNet': 'Hourglass()',
    'CPMHead': 'HourglassHead()',
    'TopdownHeatmapSimpleHead': 'HeatmapHead(deconvs=3)',
    'DeepposeRegressionHead': 'RegressionHead()',
    'MSRAHeatmap': "Heatmap(sigma=2, centre='cell', refine='quarter', aligned=False); with unbiased=True "
    "Heatmap(sigma=2, centre='exact', refine='dark', aligned=False)",
    'UDPHeatmap': "UDP(sigma=2), with heatmap_type='combined' UDPCombined(); both with crops of CropFace(udp=True)",
    'MegviiHeatmap': 'Megvii(kernel=15, aligned=False)',
    'RegressionLabel': 'Coordinates()',
    'SimCCLabel': 'SimCC(sigma=6, split=2, normalise=True, aligned=False); with normalize=False without normalise',
    'IntegralRegressionLabel': f'{_UNLIKE}; Integral() with IntegralLoss() learns coordinates from maps, too',
    'DSNTHead': f'{_UNLIKE}; HeatmapHead() with the codec Integral() is similar',
    'KeypointMSELoss': 'HeatmapMSELoss()',
    'JointsMSELoss': 'HeatmapMSELoss()',
    'KeypointOHKMMSELoss': 'OHKMLoss(topk=8)',
    'CombinedTargetMSELoss': "[dict(loss=dict(type='HeatmapMSELoss'), weight=1.5)] with the codec UDPCombined()",
    'MLECCLoss': _UNLIKE,
    'SoftWeightSmoothL1Loss': f'{_UNLIKE}; SmoothL1Loss() leaves out the points that the annotation lacks',
    'PCKAccuracy': 'PCK(threshold=.05)',
    'CombinedDataset': 'JoinedFaces(markup=..., datasets=[...])',
    'HalpeDataset': "CocoFaces(first=26, markup='300w')",
    'DefaultSampler': 'FaceSampler()',
    'PipelineSwitchHook': 'SwitchPipeline(epoch=..., pipeline=[...])',
    'SyncBuffersHook': 'SyncStatistics()',
    'PoseVisualizationHook': 'facelmk test --show-dir DIR',
    'BadCaseAnalysisHook': 'facelmk test --badcase N',
    'PoseLocalVisualizer': 'Visualizer',
}
KEYS = {  # arguments
    'norm_mode': "norm='inter_ocular' for keypoint_distance, norm='box_side' (AFLW: 'file') for use_norm_item",
    'norm_item': "norm='box_side', of AFLW norm='file'",
    'thr': 'threshold',
    'keypoint_indices': 'norm=(i, j)',
    'unbiased': "centre='exact', refine='dark' for unbiased=True, centre='cell', refine='quarter' for False",
    'blur_kernel_size': 'kernel',
    'kernel_size': 'kernel',
    'heatmap_type': "the codec UDPCombined() for 'combined'",
    'heatmap_size': "nothing: it is the size of the network's maps",
    'input_size': 'nothing: it is CropFace.size',
    'simcc_split_ratio': 'split',
    'normalize': 'normalise',
    'smoothing_type': 'smoothing=w for standard with label_smooth_weight=w',
    'label_smooth_weight': 'smoothing',
    'use_dark': "refine='dark'",
    'use_target_weight': 'nothing for True; for False a term of model.loss, dict(loss=..., weigh_points=False)',
    'loss_weight': 'a term of model.loss, dict(loss=..., weight=...)',
    'label_softmax': 'softmax',
    'test_cfg': 'model.flip_test; the rest follows from the codec',
    'shift_heatmap': 'model.codec.shift',
    'shift_coords': "model.codec.flip='mmpose0' for False",
    'flip_mode': 'nothing: it follows from the codec',
    'data_preprocessor': 'model.mean and model.std',
    'neck': 'nothing: the head does it',
    'decoder': 'model.codec',
    'num_joints': 'nothing: model.markup says it',
    'init_cfg': 'pretrained=..., the checkpoint alone',
    'extra': 'width=18',
    'deepen_factor': 'deepen',
    'widen_factor': 'widen',
    'out_indices': 'out_stages, counted from 1',
    'deconv_out_channels': 'deconvs, their number',
    'conv_out_channels': 'convs, their number',
    'switch_epoch': 'epoch',
    'switch_pipeline': 'pipeline',
    'rotate_factor': 'rotate',
    'scale_factor': 'scale',
    'shift_factor': 'shift',
    'use_udp': 'udp',
}


def replacement(name: str) -> str | None:
    """What does the same here as a part of MMPose."""
    if name not in PARTS:
        return None
    return f'{name} is a part of MMPose. Here: {PARTS[name]}. facelmk config translate does whole files.'


def key_replacement(key: str) -> str | None:
    """What does the same here as an argument of MMPose's parts."""
    return f'{key} is an argument of MMPose. Here: {KEYS[key]}.' if key in KEYS else None
