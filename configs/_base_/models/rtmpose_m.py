"""RTMPose-m: CSPNeXt and a head with attention between landmarks; two rows of bins for each, as in MMPose."""

model = dict(
    type='facelmk.FaceLandmarker',
    backbone=dict(
        type='CSPNeXt',
        deepen=0.67,
        widen=0.75,
        pretrained='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/cspnext-m_udp-aic-coco_210e-256x192-f2f7d6f6_20230130.pth',
    ),
    head=dict(type='RTMCCHead'),
    codec=dict(type='SimCC', sigma=5.66, aligned=False),
    loss=dict(type='KLDiscretLoss'),
    flip_test=True,
)
sync_bn = 'torch'
